"""A browser that is enough to consent: it keeps cookies, follows redirects and presses buttons."""

import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from http.cookiejar import CookieJar


class Form(HTMLParser):
    """The first form of a page: where it posts to, and its hidden fields."""

    def __init__(self, html):
        super().__init__()
        self.action, self.fields = None, {}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = given.get("action", "")
        if tag == "input" and given.get("type") == "hidden":
            self.fields[given["name"]] = given["value"]


class StopAt(urllib.request.HTTPRedirectHandler):
    """Does not follow a redirect to the application, which does not run in this test."""

    def __init__(self, prefix):
        self.prefix = prefix

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if newurl.startswith(self.prefix):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Browser:
    def __init__(self, application):
        handlers = urllib.request.HTTPCookieProcessor(CookieJar()), StopAt(application)
        self.opener = urllib.request.build_opener(*handlers)

    def consent(self, url, login, action="authorize"):
        """Answers at the provider, and returns the query with which the browser comes back."""
        page = self.opener.open(url)
        page = self.press(page, {"login": login})
        try:
            self.press(page, {"action": action})
        except urllib.error.HTTPError as redirect:
            if "location" not in redirect.headers:
                raise
            back = urllib.parse.urlsplit(redirect.headers["location"])
            return dict(urllib.parse.parse_qsl(back.query))
        raise AssertionError("The browser did not come back to the application.")

    def press(self, page, button):
        form = Form(page.read().decode())
        target = urllib.parse.urljoin(page.url, form.action)
        return self.opener.open(target, urllib.parse.urlencode(form.fields | button).encode())
