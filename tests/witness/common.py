"""What the Python witnesses share: one line a check, and calls of the API."""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

PASSWORD = "correct horse battery"
failed = 0


def check(name, run):
    """Runs one check and says how it went; a failed one does not stop the others, and gives None."""
    global failed
    try:
        value = run()
        print(f"ok - {name}", flush=True)
        return value
    except Exception as error:  # whatever went wrong is the finding
        failed += 1
        print(f"not ok - {name}: {type(error).__name__}: {error}", flush=True)
        return None


def finish():
    sys.exit(1 if failed else 0)


def call(issuer, method, path, body=None, token=None):
    """Gives the status and the JSON of an answer, refusals too."""
    request = urllib.request.Request(issuer + path, method=method)
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read() or b"null")


def succeed(issuer, method, path, body=None, token=None):
    status, answer = call(issuer, method, path, body, token)
    assert 200 <= status < 300, f"{method} {path} answered {status}: {answer}"
    return answer


def until(what, ask, seconds=10):
    deadline = time.monotonic() + seconds
    while True:
        found = ask()
        if found:
            return found
        assert time.monotonic() < deadline, f"no {what} in time"
        time.sleep(0.05)


def new_address():
    return f"taro-{uuid.uuid4()}@example.jp"


def mail_to(issuer, address):
    query = urllib.parse.urlencode({"to": address})
    return until("mail", lambda: succeed(issuer, "GET", f"/dev/inbox?{query}")["items"])[0]
