"""AgentCore Identity's flow with boto3: consent, session binding, a token, and what must fail."""

import urllib.request

import pytest
from botocore.exceptions import ClientError

from browser import Browser
from conftest import control

RETURN_URL = "http://localhost:9000/callback"
TEN_MINUTES_MS = 600_000


@pytest.fixture
def identity(aws):
    return aws("bedrock-agentcore")


def workload_token(identity, user):
    answer = identity.get_workload_access_token_for_user_id(workloadName="my-agent", userId=user)
    return answer["workloadAccessToken"]


def ask(identity, user):
    return identity.get_resource_oauth2_token(
        workloadIdentityToken=workload_token(identity, user),
        resourceCredentialProviderName="github",
        scopes=["read:user"],
        oauth2Flow="USER_FEDERATION",
        resourceOauth2ReturnUrl=RETURN_URL,
        customState="mine",
    )


def complete(identity, user, session):
    identity.complete_resource_token_auth(userIdentifier={"userId": user}, sessionUri=session)


def test_token_after_consent(identity, stack):
    asked = ask(identity, "alice")
    back = Browser(RETURN_URL).consent(asked["authorizationUrl"], "alice-octo")
    assert back == {"session_id": asked["sessionUri"], "state": "mine"}
    complete(identity, "alice", back["session_id"])
    token = ask(identity, "alice")["accessToken"]
    request = urllib.request.Request(
        f"{stack['parts']['providers']['github']}/api/v3/user", headers={"authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request) as answer:
        assert b"alice-octo" in answer.read()


def test_another_user_cannot_complete(identity):
    asked = ask(identity, "mallory")
    Browser(RETURN_URL).consent(asked["authorizationUrl"], "alice-octo")
    with pytest.raises(ClientError, match="Invalid or expired session"):
        complete(identity, "alice", asked["sessionUri"])


def test_denial(identity):
    asked = ask(identity, "alice")
    back = Browser(RETURN_URL).consent(asked["authorizationUrl"], "alice-octo", action="cancel")
    assert back["error"] == "access_denied"


def test_session_expires(identity):
    asked = ask(identity, "alice")
    Browser(RETURN_URL).consent(asked["authorizationUrl"], "alice-octo")
    control("POST", "/__stack/clock", {"advanceMs": TEN_MINUTES_MS})
    with pytest.raises(ClientError, match="Invalid or expired session"):
        complete(identity, "alice", asked["sessionUri"])


def test_throttling(identity):
    fault = {"kind": "answer", "status": 429, "headers": {"x-amzn-errortype": "ThrottlingException"}, "body": "{}"}
    plan = {"part": "agentcore-identity", "operation": "GetWorkloadAccessTokenForUserId", "fault": fault, "times": 1}
    control("POST", "/faults", plan)
    # boto3 tries again by itself.
    assert workload_token(identity, "alice")
    assert control("GET", "/faults")["faults"][0]["met"] == 1


def test_s3_and_bedrock(aws):
    s3 = aws("s3")
    s3.put_object(Bucket="my-bucket", Key="notes/one.txt", Body=b"hello")
    ranged = s3.get_object(Bucket="my-bucket", Key="notes/one.txt", Range="bytes=1-3")
    assert ranged["Body"].read() == b"ell"
    message = {"role": "user", "content": [{"text": "thank you"}]}
    answer = aws("bedrock-runtime").converse(modelId="any", messages=[message])
    assert answer["output"]["message"]["content"][0]["text"] == "You are welcome."
