// Typed clients generated from /openapi.json compile under the strictest rules, and their calls work.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { call, check, finish, issuer } from "./common.mjs";

const folder = "generated";
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder);
const spec = `${folder}/openapi.json`;
writeFileSync(spec, JSON.stringify(await call("GET", "/openapi.json")));

const run = (program, ...options) => {
  try {
    return execFileSync(`node_modules/.bin/${program}`, options, { encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    throw new Error(`${program}: ${error.stdout}${error.stderr}`);
  }
};
const compile = (...options) =>
  run("tsc", "--strict", "--noUncheckedIndexedAccess", "--target", "es2022", "--types", "node", ...options);
const execute = (file) =>
  execFileSync("node", [file], { encoding: "utf8", stdio: "pipe", env: { ...process.env, SEKISHO_URL: issuer } });

await check("openapi-typescript: no type allows null, and none is unknown", () => {
  run("openapi-typescript", spec, "--output", `${folder}/types.ts`);
  const types = readFileSync(`${folder}/types.ts`, "utf8");
  const odd = types.split("\n").filter((line) => /\bnull\b|: unknown;/.test(line) && !line.includes("[name: string]: unknown;"));
  assert.deepEqual(odd, []);
});

await check("openapi-fetch: a strict program walks from sign-up to a session", () => {
  compile("--exactOptionalPropertyTypes", "--module", "nodenext", "--outDir", `${folder}/out`, "walk_fetch.ts");
  assert.match(execute(`${folder}/out/walk_fetch.js`), /^active email$/m);
});

await check("openapi-ts: a full client compiles and calls the service", () => {
  run("openapi-ts", "--input", `./${spec}`, "--output", `${folder}/client`, "--client", "@hey-api/client-fetch",
    "--no-log-file", "--silent");
  compile("--module", "preserve", "--lib", "es2022,dom,dom.iterable", "--noEmit", "walk_client.ts");
  // Its files name each other without endings, so it runs as a bundle of one file.
  run("esbuild", "walk_client.ts", "--bundle", "--platform=node", "--format=esm", `--outfile=${folder}/out/walk_client.mjs`);
  assert.match(execute(`${folder}/out/walk_client.mjs`), /^email enrol_second_factor invalid_code$/m);
});
finish();
