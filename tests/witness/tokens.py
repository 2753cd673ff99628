"""PyJWT checks access tokens from the issuer's URL alone, and pyotp stands in for the authenticator app."""

import os
import time

import jwt
import pyotp

from common import PASSWORD, call, check, finish, mail_to, new_address, succeed

ISSUER = os.environ["SEKISHO_URL"]


def post(path, body):
    return succeed(ISSUER, "POST", path, body)


def sign_up(identifier):
    token = post("/v1/sign-ups", {"identifier": identifier, "password": PASSWORD})["sign_up_token"]
    code = mail_to(ISSUER, identifier)["code"]
    flow = post("/v1/sign-ups/verify", {"sign_up_token": token, "code": code})["sign_in_token"]
    return flow, post("/v1/sign-ins/enrolments", {"sign_in_token": flow, "kind": "totp"})["enrolment"]


def confirm(flow, factor_id, code):
    body = {"sign_in_token": flow, "factor_id": factor_id, "method": "code", "code": code}
    return post("/v1/sign-ins/enrolments/confirm", body)


def sign_in(identifier, code):
    flow = post("/v1/sign-ins", {"identifier": identifier, "password": PASSWORD})
    assert flow["next"] == "second_factor", flow
    body = {"sign_in_token": flow["sign_in_token"], "method": "code", "code": code}
    return call(ISSUER, "POST", "/v1/sign-ins/second-factor", body)


address = new_address()
flow, enrolment = sign_up(address)
authenticator = pyotp.TOTP(enrolment["totp"]["secret"])
now = time.time()


def parse_uri():
    parsed = pyotp.parse_uri(enrolment["totp"]["otpauth_uri"])
    assert parsed.secret == enrolment["totp"]["secret"]
    assert (parsed.digits, parsed.interval, parsed.digest().name) == (6, 30, "sha1")
    assert parsed.name == address and parsed.issuer, (parsed.name, parsed.issuer)


def sign_in_with_next_code():
    # The code of the enrolment's own step is burnt; an app that is one step ahead is accepted.
    global tokens
    status, answer = sign_in(address, authenticator.at(now + 30))
    assert status == 201, answer
    tokens = answer


def refuse_burnt():
    status, answer = sign_in(address, authenticator.at(now))
    assert (status, answer["code"]) == (422, "invalid_code"), answer


check("pyotp: reads the otpauth address", parse_uri)
tokens = check("pyotp: its code confirms the enrolment", lambda: confirm(flow, enrolment["factor_id"], authenticator.at(now)))
check("pyotp: a code that was used is refused", refuse_burnt)
check("pyotp: its next code signs in", sign_in_with_next_code)

metadata = succeed(ISSUER, "GET", "/.well-known/openid-configuration")
keys = jwt.PyJWKClient(metadata["jwks_uri"])


def decode(token, **rules):
    rules = {"audience": ISSUER, "issuer": ISSUER, "algorithms": ["ES256"], **rules}
    return jwt.decode(token, keys.get_signing_key_from_jwt(token), options={"require": ["exp", "iat", "sub"]}, **rules)


def accept():
    token = tokens["access_token"]
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    assert decode(token)["sub"] == tokens["account_id"]


def refuse(token, error, **rules):
    try:
        decode(token, **rules)
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


def refuse_all():
    head, body, signature = tokens["access_token"].split(".")
    other = "B" if signature[0] == "A" else "A"
    refuse(f"{head}.{body}.{other}{signature[1:]}", jwt.InvalidSignatureError)
    refuse(tokens["access_token"], jwt.InvalidAudienceError, audience="https://other.example")
    refuse(tokens["access_token"], jwt.InvalidIssuerError, issuer="https://other.example")


check("PyJWT: accepts a token with the keys that discovery names", accept)
check("PyJWT: refuses a tampered token, another audience and another issuer", refuse_all)
finish()
