package consent

import (
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var (
	action = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
	hidden = regexp.MustCompile(`<input[^>]*type="hidden"[^>]*>`)
	name   = regexp.MustCompile(` name="([^"]*)"`)
	value  = regexp.MustCompile(` value="([^"]*)"`)
)

// consent answers at the provider as a user, and returns the address to which the browser comes back. It is not opened,
// because no application runs in these tests.
func consent(t *testing.T, authorizationURL, login, answer string) *url.URL {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var back *url.URL
	browser := &http.Client{Jar: jar, CheckRedirect: func(request *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(request.URL.String(), returnURL) {
			back = request.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	page, err := browser.Get(authorizationURL)
	if err != nil {
		t.Fatal(err)
	}
	page = press(t, browser, page, "login", login)
	press(t, browser, page, "action", answer).Body.Close()
	if back == nil {
		t.Fatal("the browser did not come back to the application")
	}
	return back
}

// press sends the form of a page: its hidden fields and one button.
func press(t *testing.T, browser *http.Client, page *http.Response, button, chosen string) *http.Response {
	t.Helper()
	defer page.Body.Close()
	text, err := io.ReadAll(page.Body)
	if err != nil {
		t.Fatal(err)
	}
	fields := url.Values{button: {chosen}}
	for _, tag := range hidden.FindAllString(string(text), -1) {
		fields.Set(first(name, tag), first(value, tag))
	}
	target, err := page.Request.URL.Parse(first(action, string(text)))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := browser.PostForm(target.String(), fields)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func first(pattern *regexp.Regexp, text string) string {
	if found := pattern.FindStringSubmatch(text); found != nil {
		return html.UnescapeString(found[1])
	}
	return ""
}
