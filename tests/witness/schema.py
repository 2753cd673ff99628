"""Schemathesis calls every operation of the document with what it allows and with what it forbids (security.md 80)."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pyotp

from common import PASSWORD, check, finish, mail_to, new_address, succeed

ISSUER = os.environ["SEKISHO_URL"]
SEED = os.environ.get("SCHEMATHESIS_SEED", str(int(time.time())))
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "25")
# Not those of the developer's machine alone; and a caller who is signed in stays so.
NOT_HERE = "^/dev/"
ENDS_SESSIONS = "^/dev/|^/v1/sessions"


def access_token():
    address = new_address()
    post = lambda path, body: succeed(ISSUER, "POST", path, body)
    token = post("/v1/sign-ups", {"identifier": address, "password": PASSWORD})["sign_up_token"]
    flow = post("/v1/sign-ups/verify", {"sign_up_token": token, "code": mail_to(ISSUER, address)["code"]})
    flow = flow["sign_in_token"]
    enrolment = post("/v1/sign-ins/enrolments", {"sign_in_token": flow, "kind": "totp"})["enrolment"]
    code = pyotp.TOTP(enrolment["totp"]["secret"]).now()
    body = {"sign_in_token": flow, "factor_id": enrolment["factor_id"], "method": "code", "code": code}
    return post("/v1/sign-ins/enrolments/confirm", body)["access_token"]


def run(excluded, *more):
    schemathesis = Path(sys.executable).with_name("st")
    settings = ["--config-file", "schema.toml", "run", f"{ISSUER}/openapi.json", "--exclude-path-regex", excluded]
    bounds = ["--max-examples", EXAMPLES, "--seed", SEED, "--max-time", "80", "--request-timeout", "10"]
    how = ["--checks", "all", "--phases", "examples,coverage,fuzzing", "--continue-on-failure", "--no-color"]
    done = subprocess.run([schemathesis, *settings, *bounds, *how, *more], capture_output=True, text=True)
    if done.returncode != 0:
        print(done.stdout[-8000:], done.stderr[-2000:])
    assert done.returncode == 0, f"see above; seed {SEED}"


check(f"every operation keeps to the document, seed {SEED}", lambda: run(NOT_HERE))
token = access_token()
authorization = ["-H", f"Authorization: Bearer {token}"]
check(f"every operation does so for someone who is signed in, seed {SEED}", lambda: run(ENDS_SESSIONS, *authorization))
finish()
