// A tester walks the whole way inside /docs: sign-up to a call with a token, with nothing but clicks and typing.
import assert from "node:assert/strict";
import { launch, watch } from "./browser.mjs";
import { check, finish, issuer, newAddress, password } from "./common.mjs";

const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
page.setDefaultTimeout(15_000);
const faults = watch(page);

/** Opens an operation, fills it, executes it and reads the status and the body that the page shows. */
async function execute(id, { body, parameters = {} } = {}) {
  const block = page.locator(`.opblock[id$="-${id}"]`);
  if (!(await block.locator(".opblock-body").isVisible())) await block.locator(".opblock-summary-control").click();
  for (const [name, value] of Object.entries(parameters)) {
    const input = block.locator(`tr[data-param-name="${name}"] input`);
    assert.ok(await input.isEnabled(), `${name} can be filled without another click`);
    await input.fill(value);
  }
  if (body) await block.locator("textarea.body-param__text").fill(JSON.stringify(body, null, 2));
  const clear = block.locator("button.btn-clear");
  if (await clear.isVisible()) await clear.click();
  await block.locator("button.execute").click();
  const live = block.locator(".live-responses-table .response");
  await live.waitFor();
  const status = Number.parseInt(await live.locator(".response-col_status").innerText(), 10);
  const shown = live.locator(".highlight-code pre, pre.microlight").first();
  const text = (await shown.count()) ? await shown.innerText() : "";
  await block.locator(".opblock-summary-control").click();
  return { status, body: text && JSON.parse(text) };
}

async function succeed(status, id, request) {
  const answer = await execute(id, request);
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  return answer.body;
}

/** Asks until there is something, as a tester would click again. */
async function mailTo(to) {
  for (let tries = 0; tries < 20; tries += 1) {
    const { items } = await succeed(200, "show_inbox", { parameters: { to } });
    if (items.length) return items[0];
  }
  throw new Error("no mail in time");
}

const identifier = newAddress();
let sign_up_token, code, sign_in_token, factor_id, tokens;

await check("docs: the page opens with every operation", async () => {
  await page.goto(`${issuer}/docs`);
  await page.locator(".opblock").first().waitFor();
  const spec = await (await fetch(`${issuer}/openapi.json`)).json();
  const operations = Object.values(spec.paths).flatMap((path) => Object.keys(path).filter((key) => key !== "parameters"));
  assert.equal(await page.locator(".opblock").count(), operations.length);
});
await check("docs: sign-up", async () => {
  const { status, body } = await execute("start_sign_up", { body: { identifier, password, display_name: "Taro" } });
  assert.equal(status, 202, JSON.stringify(body));
  sign_up_token = body.sign_up_token;
});
await check("docs: the inbox shows the code", async () => {
  code = (await mailTo(identifier)).code;
  assert.match(code, /^\d{6}$/);
});
await check("docs: a wrong code is shown as a problem", async () => {
  const answer = await execute("verify_sign_up", { body: { sign_up_token, code: code === "000000" ? "000001" : "000000" } });
  assert.equal(answer.status, 422);
  assert.equal(answer.body.code, "invalid_code");
});
await check("docs: verify", async () => {
  const flow = await succeed(200, "verify_sign_up", { body: { sign_up_token, code } });
  assert.equal(flow.next, "enrol_second_factor");
  sign_in_token = flow.sign_in_token;
});
await check("docs: enrol an authenticator app", async () => {
  const { enrolment } = await succeed(201, "start_enrolment", { body: { sign_in_token, kind: "totp" } });
  factor_id = enrolment.factor_id;
});
await check("docs: confirm it with the code of /dev/totp", async () => {
  const totp = await succeed(200, "show_totp", { parameters: { factor_id } });
  const body = { sign_in_token, factor_id, method: "code", code: totp.code };
  tokens = await succeed(201, "confirm_enrolment", { body });
  assert.equal(tokens.recovery_codes.length, 10);
});
await check("docs: without a token the account is closed", async () => {
  const { status, body } = await execute("show_account");
  assert.equal(status, 401, JSON.stringify(body));
});

async function authorize(token) {
  await page.locator(".auth-wrapper .btn.authorize").first().click();
  const dialog = page.locator(".dialog-ux .modal-ux");
  const bearer = dialog.locator(".auth-container", { hasText: "bearer" }).first();
  const logout = bearer.getByRole("button", { name: "Remove authorization" });
  if (await logout.isVisible()) await logout.click();
  await bearer.locator("input").fill(token);
  await bearer.getByRole("button", { name: "Apply credentials" }).click();
  await dialog.getByRole("button", { name: "Close" }).first().click();
}

await check("docs: authorised with the token, the account opens", async () => {
  await authorize(tokens.access_token);
  const account = await succeed(200, "show_account");
  assert.equal(account.identifiers[0].value, identifier);
  assert.equal(account.display_name, "Taro");
});
await check("docs: sign in again with the second factor", async () => {
  const flow = await succeed(200, "start_sign_in", { body: { identifier, password } });
  assert.equal(flow.next, "second_factor");
  const totp = await succeed(200, "show_totp", { parameters: { factor_id } });
  const body = { sign_in_token: flow.sign_in_token, method: "code", code: totp.code };
  tokens = await succeed(201, "complete_sign_in", { body });
});
await check("docs: the new token opens the account", async () => {
  await authorize(tokens.access_token);
  const account = await succeed(200, "show_account");
  assert.equal(account.id, tokens.account_id);
});
await check("docs: nothing was asked of another host, no policy was violated, no script failed", () => {
  assert.deepEqual(faults, []);
});

await browser.close();
finish();
