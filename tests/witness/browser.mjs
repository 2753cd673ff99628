// The browser of the witnesses: Debian's Chromium, alone with this machine.
import { chromium } from "playwright-core";

export const launch = () =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    ],
  });

/** Notes what a page must never do; the list fills while it is used. */
export function watch(page) {
  const faults = [];
  const local = (url) => ["data:", "blob:", "about:"].some((scheme) => url.startsWith(scheme)) || new URL(url).hostname === "localhost";
  page.on("request", (request) => local(request.url()) || faults.push(`asked ${request.url()}`));
  page.on("requestfailed", (request) => faults.push(`failed ${request.url()}: ${request.failure()?.errorText}`));
  page.on("pageerror", (error) => faults.push(`threw ${error}`));
  page.on("console", (message) => {
    // Chromium writes a line for each refusal of the API; those are what the page was asked to show.
    const refusal = /^Failed to load resource: the server responded with a status of 4\d\d/.test(message.text());
    if (["error", "warning"].includes(message.type()) && !refusal) faults.push(`console: ${message.text()}`);
  });
  return faults;
}
