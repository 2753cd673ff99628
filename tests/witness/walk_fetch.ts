// Compiled against the types that openapi-typescript makes of /openapi.json; then run.
import createClient from "openapi-fetch";
import type { components, paths } from "./generated/types.js";

type SignInFlow = components["schemas"]["SignInFlow"];

const baseUrl = process.env["SEKISHO_URL"] ?? "";
const api = createClient<paths>({ baseUrl });
const identifier = `taro-${crypto.randomUUID()}@example.jp`;
const password = "correct horse battery";

function got<T>(answer: { data?: T; error?: { code: string } }): T {
  if (answer.data === undefined) throw new Error(answer.error?.code ?? "no answer");
  return answer.data;
}

// Every step that a flow can name is a known word.
function says(next: SignInFlow["next"]): string {
  switch (next) {
    case "change_password":
    case "verify_identifier":
    case "second_factor":
    case "enrol_second_factor":
      return next;
  }
}

const started = got(await api.POST("/v1/sign-ups", { body: { identifier, password } }));
const hint: string = started.delivery.destination_hint;
let code: string | undefined;
for (let tries = 0; code === undefined && tries < 500; tries += 1) {
  code = got(await api.GET("/dev/inbox", { params: { query: { to: identifier } } })).items[0]?.code;
}
const { sign_up_token } = started;
const flow = got(await api.POST("/v1/sign-ups/verify", { body: { sign_up_token, code: code ?? "" } }));
if (says(flow.next) !== "enrol_second_factor" || hint === "") throw new Error(flow.next);

const { sign_in_token } = flow;
const { enrolment } = got(await api.POST("/v1/sign-ins/enrolments", { body: { sign_in_token, kind: "totp" } }));
const { factor_id } = enrolment;
const totp = got(await api.GET("/dev/totp/{factor_id}", { params: { path: { factor_id } } }));
got(
  await api.POST("/v1/sign-ins/enrolments/confirm", {
    body: { sign_in_token, factor_id, method: "code", code: totp.code },
  }),
);

const again = got(await api.POST("/v1/sign-ins", { body: { identifier, password } }));
const next = got(await api.GET("/dev/totp/{factor_id}", { params: { path: { factor_id } } }));
const tokens = got(
  await api.POST("/v1/sign-ins/second-factor", {
    body: { sign_in_token: again.sign_in_token, method: "code", code: next.code },
  }),
);
const lifetime: number = tokens.expires_in;
const headers = { authorization: `Bearer ${tokens.access_token}` };
const account = got(await api.GET("/v1/account", { headers }));
if (lifetime !== 300) throw new Error(`${lifetime} s`);

// A refusal has a code to switch on, and members of its own.
const { error } = await api.POST("/v1/sign-ins/second-factor", {
  body: { sign_in_token: again.sign_in_token, method: "code", code: "000000" },
});
if (error?.code !== "sign_in_expired") throw new Error(error?.code);
console.log(account.status, account.identifiers[0]?.kind);
