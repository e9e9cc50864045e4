package consent

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockagentcore"
	"github.com/aws/aws-sdk-go-v2/service/bedrockagentcore/types"
)

const (
	returnURL    = "http://localhost:9000/callback"
	tenMinutesMs = 600_000
)

type identity struct {
	*bedrockagentcore.Client
	t *testing.T
}

// begin sets the stack back, and makes a client of AgentCore Identity.
func begin(t *testing.T) identity {
	t.Helper()
	control(t, http.MethodPost, "/__stack/reset", nil)
	settings, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return identity{bedrockagentcore.NewFromConfig(settings), t}
}

func (client identity) ask(user string) *bedrockagentcore.GetResourceOauth2TokenOutput {
	client.t.Helper()
	workload, err := client.GetWorkloadAccessTokenForUserId(context.Background(), &bedrockagentcore.GetWorkloadAccessTokenForUserIdInput{
		WorkloadName: aws.String("my-agent"),
		UserId:       aws.String(user),
	})
	if err != nil {
		client.t.Fatal(err)
	}
	asked, err := client.GetResourceOauth2Token(context.Background(), &bedrockagentcore.GetResourceOauth2TokenInput{
		WorkloadIdentityToken:          workload.WorkloadAccessToken,
		ResourceCredentialProviderName: aws.String("github"),
		Scopes:                         []string{"read:user"},
		Oauth2Flow:                     types.Oauth2FlowTypeUserFederation,
		ResourceOauth2ReturnUrl:        aws.String(returnURL),
		CustomState:                    aws.String("mine"),
	})
	if err != nil {
		client.t.Fatal(err)
	}
	return asked
}

func (client identity) complete(user string, session *string) error {
	_, err := client.CompleteResourceTokenAuth(context.Background(), &bedrockagentcore.CompleteResourceTokenAuthInput{
		UserIdentifier: &types.UserIdentifierMemberUserId{Value: user},
		SessionUri:     session,
	})
	return err
}

func TestTokenAfterConsent(t *testing.T) {
	client := begin(t)
	asked := client.ask("alice")
	back := consent(t, *asked.AuthorizationUrl, "alice-octo", "authorize").Query()
	if back.Get("session_id") != *asked.SessionUri || back.Get("state") != "mine" {
		t.Fatalf("the browser came back with %v", back)
	}
	if err := client.complete("alice", asked.SessionUri); err != nil {
		t.Fatal(err)
	}
	request, _ := http.NewRequest(http.MethodGet, running.Parts.Providers["github"]+"/api/v3/user", nil)
	request.Header.Set("authorization", "Bearer "+*client.ask("alice").AccessToken)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if user, _ := io.ReadAll(answer.Body); !strings.Contains(string(user), "alice-octo") {
		t.Fatalf("GitHub answered %s", user)
	}
}

func TestAnotherUserCannotComplete(t *testing.T) {
	client := begin(t)
	asked := client.ask("mallory")
	consent(t, *asked.AuthorizationUrl, "alice-octo", "authorize")
	refused(t, client.complete("alice", asked.SessionUri))
}

func TestDenial(t *testing.T) {
	back := consent(t, *begin(t).ask("alice").AuthorizationUrl, "alice-octo", "cancel").Query()
	if back.Get("error") != "access_denied" {
		t.Fatalf("the browser came back with %v", back)
	}
}

func TestSessionExpires(t *testing.T) {
	client := begin(t)
	asked := client.ask("alice")
	consent(t, *asked.AuthorizationUrl, "alice-octo", "authorize")
	control(t, http.MethodPost, "/__stack/clock", map[string]int{"advanceMs": tenMinutesMs})
	refused(t, client.complete("alice", asked.SessionUri))
}

func refused(t *testing.T, err error) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), "Invalid or expired session") {
		t.Fatalf("expected a refusal, not %v", err)
	}
}
