// Compiled and bundled with the client that @hey-api/openapi-ts makes of /openapi.json; then run.
import { client } from "./generated/client/client.gen";
import { showConfiguration, showInbox, startEnrolment, startSignUp, verifySignUp } from "./generated/client";
import type { SecondFactorRequest, SignInFlow } from "./generated/client";

client.setConfig({ baseUrl: process.env["SEKISHO_URL"] ?? "" });
const identifier = `taro-${crypto.randomUUID()}@example.jp`;

const configuration = await showConfiguration({ throwOnError: true });
const started = await startSignUp({ body: { identifier, password: "correct horse battery" }, throwOnError: true });
let code: string | undefined;
for (let tries = 0; code === undefined && tries < 500; tries += 1) {
  code = (await showInbox({ query: { to: identifier }, throwOnError: true })).data.items[0]?.code;
}
const { sign_up_token } = started.data;
const wrong = await verifySignUp({ body: { sign_up_token, code: code === "000000" ? "000001" : "000000" } });
const verified = await verifySignUp({ body: { sign_up_token, code: code ?? "" }, throwOnError: true });
const flow: SignInFlow = verified.data;
const { sign_in_token } = flow;
const enrolled = await startEnrolment({ body: { sign_in_token, kind: "totp" }, throwOnError: true });
const secret: string | undefined = enrolled.data.enrolment.totp?.secret;
if (secret === undefined) throw new Error("no secret");

// What a sign-in ends with: a method to switch on, plain optional members beside it.
const request: SecondFactorRequest = { sign_in_token, method: "recovery_code", recovery_code: "7Q4M-ZK2D-9XWT-H3VB" };
if (request.code !== undefined) throw new Error("a member that was left out");
const kind: "email" | "phone" | undefined = configuration.data.identifier_kinds[0];
console.log(kind, flow.next, wrong.error?.code);
