// What a person sees: pages in two sizes and two colour schemes, without sideways scrolling. Writes pictures.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { launch, watch } from "./browser.mjs";
import { call, check, finish, issuer, mailTo, newAddress, password, signUp } from "./common.mjs";

const folder = process.env.WITNESS_SHOTS ?? "shots";
mkdirSync(folder, { recursive: true });

// Messages of more than one kind, with a long address and a code on top.
const { account_id } = await signUp(`with.a.rather.long.name-${crypto.randomUUID()}@mail.example.co.jp`);
const identifier = newAddress();
await call("POST", "/v1/sign-ups", { identifier, password });
await mailTo(identifier);
assert.ok(account_id);

const pages = {
  docs: ["/docs", ".opblock"],
  "docs-open": ["/docs", ".opblock"],
  help: ["/help/problems/invalid_code", "h1"],
  problem: ["/nowhere", "h1"],
  inbox: ["/dev/inbox", "h2"],
  "inbox-empty": ["/dev/inbox?to=nobody@example.jp", "h1"],
};
const sizes = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

/** The lowest contrast of any text with what lies behind it, by the formula of WCAG 2. */
const contrast = () => {
  const parse = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  let lowest = 21;
  for (const element of document.body.querySelectorAll("*")) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    lowest = Math.min(lowest, (a + 0.05) / (b + 0.05));
  }
  return lowest;
};

const browser = await launch();
for (const [size, viewport] of Object.entries(sizes)) {
  for (const colorScheme of ["light", "dark"]) {
    const context = await browser.newContext({ viewport, colorScheme, locale: "en-GB", hasTouch: size === "phone" });
    for (const [name, [path, ready]] of Object.entries(pages)) {
      // The API page is Swagger UI's work; the others are our own.
      const own = !name.startsWith("docs");
      await check(`pages: ${name}, ${size}, ${colorScheme}`, async () => {
        const page = await context.newPage();
        const faults = watch(page);
        await page.goto(issuer + path);
        await page.locator(ready).first().waitFor();
        if (name === "docs-open") {
          const block = page.locator('.opblock[id$="-check_password"]');
          await block.locator(".opblock-summary-control").click();
          await block.locator("button.execute").click();
          await block.locator(".live-responses-table .response").waitFor();
          await block.evaluate((element) => element.scrollIntoView());
        }
        await page.screenshot({ path: `${folder}/${name}-${size}-${colorScheme}.png`, fullPage: own });
        const width = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= viewport.width, `${width} px wide`);
        assert.deepEqual(faults, []);
        if (own) {
          assert.equal(await page.locator("h1").count(), 1);
          const lowest = await page.evaluate(contrast);
          assert.ok(lowest >= 4.5, `contrast ${lowest}`);
        }
        await page.close();
      });
    }
    await context.close();
  }
}
await browser.close();
finish();
