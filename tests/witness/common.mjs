// What the JavaScript witnesses share: one line a check, and calls of the API.
export const issuer = process.env.SEKISHO_URL;
export const password = "correct horse battery";

let failed = 0;

/** Runs one check and says how it went; a failed one does not stop the others, and gives undefined. */
export async function check(name, run) {
  try {
    const value = await run();
    console.log(`ok - ${name}`);
    return value;
  } catch (error) {
    failed += 1;
    console.log(`not ok - ${name}: ${String(error?.message ?? error).replaceAll("\n", "\n    ")}`);
    return undefined;
  }
}

export function finish() {
  process.exitCode = failed ? 1 : 0;
}

export async function call(method, path, body) {
  const headers = body ? { "content-type": "application/json" } : {};
  const answer = await fetch(issuer + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
  return text && JSON.parse(text);
}

/** Asks again until there is something, at most ten seconds. */
export async function until(what, ask) {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`no ${what} in time`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export const newAddress = () => `taro-${crypto.randomUUID()}@example.jp`;

export const mailTo = (address) =>
  until("mail", async () => (await call("GET", `/dev/inbox?to=${encodeURIComponent(address)}`)).items[0]);

/** Signs somebody up and in; gives the token set. */
export async function signUp(identifier = newAddress()) {
  const { sign_up_token } = await call("POST", "/v1/sign-ups", { identifier, password });
  const { code } = await mailTo(identifier);
  const { sign_in_token } = await call("POST", "/v1/sign-ups/verify", { sign_up_token, code });
  const { enrolment } = await call("POST", "/v1/sign-ins/enrolments", { sign_in_token, kind: "totp" });
  const { factor_id } = enrolment;
  const totp = await call("GET", `/dev/totp/${factor_id}`);
  return call("POST", "/v1/sign-ins/enrolments/confirm", {
    sign_in_token,
    factor_id,
    method: "code",
    code: totp.code,
  });
}
