// A real browser with an authenticator of its own: what the README says of passkeys, and passkeys in the account.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { launch, watch } from "./browser.mjs";
import { call, check, finish, issuer, signUp } from "./common.mjs";

const browser = await launch();
const page = await browser.newPage();
const faults = watch(page);
const devtools = await page.context().newCDPSession(page);
await devtools.send("WebAuthn.enable");

/** A device with a screen lock, which confirms whatever it is asked. */
const plugIn = async () => {
  const options = {
    protocol: "ctap2",
    transport: "internal",
    hasResidentKey: true,
    hasUserVerification: true,
    isUserVerified: true,
    automaticPresenceSimulation: true,
  };
  return (await devtools.send("WebAuthn.addVirtualAuthenticator", { options })).authenticatorId;
};
const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

const readme = readFileSync("README.md", "utf8");
const [, section] = readme.split("## Passkeys, in the browser");
const [, snippet] = section.match(/```js\n(.*?)```/s);

await page.goto(`${issuer}/docs`);
let authenticatorId = await plugIn();

await check("passkeys: the README signs up, signs in, and signs in with nothing else", async () => {
  const sets = await page.evaluate(`(async () => {
    const told = [];
    const console = { log: (value) => told.push(value) };
    ${snippet}
    return told;
  })()`);
  assert.deepEqual(sets.map((set) => claims(set.access_token).amr), [
    ["pwd", "pop", "user", "mfa"],
    ["pwd", "pop", "user", "mfa"],
    ["pop", "user", "mfa"],
  ]);
  assert.equal(new Set(sets.map((set) => set.account_id)).size, 1);
  assert.equal(sets[0].recovery_codes.length, 10);
});

await check("passkeys: the authenticator keeps one that it can find, counts, and knows no account id", async () => {
  const { credentials } = await devtools.send("WebAuthn.getCredentials", { authenticatorId });
  assert.equal(credentials.length, 1);
  const [{ isResidentCredential, signCount, rpId, userHandle }] = credentials;
  assert.deepEqual([isResidentCredential, rpId], [true, "localhost"]);
  assert.ok(signCount >= 3, `${signCount}`);
  assert.equal(Buffer.from(userHandle, "base64").length, 16);
});

await devtools.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
authenticatorId = await plugIn();

const { access_token } = await signUp();
/** POST with the access token, from this side of the browser. */
const post = async (path, body, token = access_token) => {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const answer = await fetch(issuer + path, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: answer.status, body: await answer.json() };
};
const make = (options) =>
  page.evaluate(async (options) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return (await navigator.credentials.create({ publicKey })).toJSON();
  }, options);
const ask = (options) =>
  page.evaluate(async (options) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return (await navigator.credentials.get({ publicKey })).toJSON();
  }, options);

let factor_id;
await check("passkeys: one is added in the account", async () => {
  const { status, body } = await post("/v1/account/factors", { kind: "passkey", label: "Key" });
  assert.equal(status, 201, JSON.stringify(body));
  const credential = await make(body.passkey);
  const confirmed = await post(`/v1/account/factors/${body.factor_id}/confirm`, { method: "passkey", credential });
  assert.equal(confirmed.status, 200, JSON.stringify(confirmed.body));
  assert.deepEqual([confirmed.body.kind, confirmed.body.label], ["passkey", "Key"]);
  factor_id = confirmed.body.id;
});

await check("passkeys: the browser makes no second one for the same account on the same device", async () => {
  const { body } = await post("/v1/account/factors", { kind: "passkey" });
  await assert.rejects(make(body.passkey), /InvalidStateError/);
});

await check("passkeys: one proves again who somebody is, without the password", async () => {
  const { body } = await post("/v1/reauthentications/passkey-options", { factor_id });
  const { reauthentication_token } = body;
  const credential = await ask(body.public_key);
  const fresh = await post("/v1/reauthentications", { method: "passkey", credential, reauthentication_token });
  assert.equal(fresh.status, 200, JSON.stringify(fresh.body));
  assert.deepEqual(claims(fresh.body.access_token).amr, ["pop", "user", "mfa"]);
  const again = await post("/v1/reauthentications", { method: "passkey", credential, reauthentication_token });
  assert.deepEqual([again.status, again.body.code], [410, "reauthentication_expired"]);
});

await check("passkeys: a device that cannot verify its owner gives no answer", async () => {
  await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  const { public_key } = await call("POST", "/v1/passkey-sign-ins/options", {});
  await assert.rejects(ask({ ...public_key, timeout: 1000 }), /NotAllowedError/);
  await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
});

await check("passkeys: browsers learn which pages may use them", async () => {
  assert.ok((await call("GET", "/.well-known/webauthn")).origins.includes(issuer));
  assert.equal((await call("GET", "/v1/configuration")).passkey_rp_id, "localhost");
});

await check("passkeys: nothing went wrong on the page", async () => assert.deepEqual(faults, []));
await browser.close();
finish();
