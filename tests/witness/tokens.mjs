// A service that knows the issuer's URL alone checks access tokens with jose and openid-client.
import assert from "node:assert/strict";
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import * as client from "openid-client";
import { check, finish, issuer, signUp } from "./common.mjs";

const { access_token: token, account_id } = await signUp();

const discovered = await check("jose: the issuer's URL leads to its keys", async () => {
  const answer = await fetch(`${issuer}/.well-known/openid-configuration`);
  const metadata = await answer.json();
  assert.equal(metadata.issuer, issuer);
  return createRemoteJWKSet(new URL(metadata.jwks_uri));
});

const rules = { issuer, audience: issuer, typ: "at+jwt", algorithms: ["ES256"] };

await check("jose: a token is accepted with issuer, audience, type and algorithm fixed", async () => {
  const { payload } = await jwtVerify(token, discovered, { ...rules, requiredClaims: ["sub", "jti", "sid", "exp"] });
  assert.equal(payload.sub, account_id);
  assert.equal(payload.exp - payload.iat, 300);
  assert.deepEqual([...payload.amr].sort(), ["mfa", "otp", "pwd"]);
  assert.ok(decodeProtectedHeader(token).kid);
});

const [header, payload, signature] = token.split(".");
const claims = JSON.parse(Buffer.from(payload, "base64url"));
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const refused = {
  "other claims": [header, encode({ ...claims, roles: ["admin"] }), signature].join("."),
  "a damaged signature": [header, payload, (signature[0] === "A" ? "B" : "A") + signature.slice(1)].join("."),
  "no signature and alg none": [encode({ typ: "at+jwt", alg: "none" }), payload, ""].join("."),
};
for (const [what, forged] of Object.entries(refused)) {
  await check(`jose: a token with ${what} is refused, and by the service too`, async () => {
    await assert.rejects(jwtVerify(forged, discovered, rules));
    const answer = await fetch(`${issuer}/v1/account`, { headers: { authorization: `Bearer ${forged}` } });
    assert.equal(answer.status, 401);
  });
}

await check("jose: a token is refused for another audience and another issuer", async () => {
  await assert.rejects(jwtVerify(token, discovered, { ...rules, audience: "https://other.example" }), /aud/);
  await assert.rejects(jwtVerify(token, discovered, { ...rules, issuer: "https://other.example" }), /iss/);
});

for (const algorithm of ["oidc", "oauth2"]) {
  await check(`openid-client: ${algorithm} discovery is understood`, async () => {
    const configuration = await client.discovery(new URL(issuer), "witness", undefined, client.None(), {
      algorithm,
      execute: [client.allowInsecureRequests],
    });
    const metadata = configuration.serverMetadata();
    assert.equal(metadata.issuer, issuer);
    assert.equal(metadata.authorization_endpoint, undefined);
    const { payload } = await jwtVerify(token, createRemoteJWKSet(new URL(metadata.jwks_uri)), rules);
    assert.equal(payload.sub, account_id);
  });
}
finish();
