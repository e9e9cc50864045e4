"""Starts the local stack of examples/stack.json once for all tests, and resets it before each."""

import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).parents[2]
FILE = ROOT / "examples" / "stack.json"
BOARD = f"http://127.0.0.1:{json.loads(FILE.read_text())['port'] + 10}"


@pytest.fixture(scope="session")
def running():
    """The state of the stack: addresses, users, environments."""
    if answers():
        raise RuntimeError(f"Another stack answers at {BOARD}. Stop it first: these tests reset theirs.")
    environment = {name: value for name, value in os.environ.items() if name != "LOCAL_PORT"}
    command = ["npm", "run", "--silent", "stack", "--", "--config", str(FILE)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield wait(process)
    finally:
        process.terminate()
        process.wait(timeout=10)


def answers():
    try:
        return urllib.request.urlopen(f"{BOARD}/__stack").status == 200
    except OSError:
        return False


def wait(process):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"The stack ended with {process.returncode}; its lines above say why.")
        try:
            with urllib.request.urlopen(f"{BOARD}/__stack") as answer:
                return json.load(answer)
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("The stack did not start within 30 seconds.")


@pytest.fixture
def stack(running):
    control("POST", "/__stack/reset")
    return running


@pytest.fixture
def aws(stack, monkeypatch):
    """Makes clients of AWS that talk to the stack. They need nothing but the environment."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in stack["environment"]["aws"].items():
        monkeypatch.setenv(name, value)
    session = boto3.session.Session()
    return session.client


def control(method, path, body=None):
    """Asks the stack itself: its clock, its faults, what it was asked."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    request = urllib.request.Request(BOARD + path, data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text else None
