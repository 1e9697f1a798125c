/**
 * `npm run build:dev && node dist/bench/bench-console.js`: how long a person waits for a page of the console, in Chromium with the network of its
 * profile "Fast 4G" and a processor that is four times slower. The API answers at once from memory, so that the page itself is measured.
 */
import type { Browser } from "playwright-core";
import { consoleAnswers, stormyConsoleAnswers } from "../test/builders/console-answers.ts";
import { anAskingScene } from "../test/builders/console-scenes.ts";
import { startChromium } from "../test/servers/console-reader.ts";
import { startConsoleServer } from "../test/servers/console-server.ts";
import { median } from "./statistics.ts";

const rounds = 7;
/** Chromium's profile: bytes per second, and milliseconds before each answer. */
const fast4g = { offline: false, downloadThroughput: (9_000_000 / 8) * 0.9, uploadThroughput: (1_500_000 / 8) * 0.9, latency: 165 };
const slowdown = 4;

/** `maxMs` is the budget of the design. */
const measured = [
  { name: "Now, 3 runs and a question", path: "/", ready: "#open-questions", maxMs: 1000 },
  { name: "Run of 8 steps that asks", path: "/runs/run_asks", ready: "#step-7 .answers", maxMs: 1200 },
  { name: "Runs, 50 rows", path: "/runs", ready: ".list li:nth-child(50)", maxMs: 1200 },
] as const;

async function openMs(
  browser: Browser,
  { url, path, ready }: { readonly url: string; readonly path: string; readonly ready: string },
): Promise<number> {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
  await context.addCookies([{ name: "rb", value: "1", url }]);
  const page = await context.newPage();
  await page.clock.setFixedTime((anAskingScene().journal.at(-1)?.at ?? 0) + 222_000);
  const devtools = await context.newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", fast4g);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: slowdown });
  const began = performance.now();
  await page.goto(`${url}${path}`, { waitUntil: "commit" });
  await page.waitForSelector(ready);
  const ms = performance.now() - began;
  await context.close();
  return ms;
}

await using server = await startConsoleServer(consoleAnswers());
server.isLive = true;
const browser = await startChromium();
try {
  for (const { name, path, ready, maxMs } of measured) {
    server.answers = path === "/runs" ? stormyConsoleAnswers() : consoleAnswers();
    const times: number[] = [];
    for (let round = 0; round < rounds; round += 1) times.push(await openMs(browser, { url: server.url, path, ready }));
    const sorted = times.toSorted((a, b) => a - b);
    console.log(
      `${name.padEnd(28)} median ${median(times).toFixed(0)} ms (${sorted[0]?.toFixed(0)} to ${sorted.at(-1)?.toFixed(0)}), budget ${maxMs} ms`,
    );
  }
} finally {
  await browser.close();
}
