import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { afterEach, expect, it } from "@jest/globals";
import { createSystemClock } from "../../core/clock.ts";
import { createBoundedSender } from "../../platform/requests/bounded-request.ts";
import { createEpssScores, epssRequestLimits } from "./create-epss-scores.ts";

const never = new AbortController().signal;
const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const anEntry = (cve: string, epss: unknown = "0.943540000", date = "2026-11-29") => ({ cve, epss, percentile: "0.999630000", date });
const anAnswer = (...data: unknown[]) => ({
  status: "OK",
  "status-code": 200,
  version: "1.0",
  access: "public",
  total: data.length,
  offset: 0,
  limit: 100,
  data,
});

async function serve(answer: (response: ServerResponse) => void, maxBytes = epssRequestLimits.maxBytes) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${decodeURIComponent(request.url ?? "")}`);
    answer(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const sender = createBoundedSender({ ...epssRequestLimits, maxBytes }, { clock: createSystemClock() });
  closers.push(
    async () => sender.close(),
    () => {
      server.closeAllConnections();
      server.close();
    },
  );
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { asked, source: createEpssScores(sender, `http://127.0.0.1:${port}/data/v1/epss`) };
}

const json =
  (body: unknown, status = 200) =>
  (response: ServerResponse) =>
    void response.writeHead(status, { "content-type": "application/json" }).end(typeof body === "string" ? body : JSON.stringify(body));

it("asks for CVEs and nothing else, and reads their probabilities with their date", async () => {
  const { asked, source } = await serve(json(anAnswer(anEntry("CVE-2021-44228"), anEntry("CVE-2026-1234", "0"))));
  expect(await source.read(["CVE-2021-44228", "CVE-2026-1234", "CVE-2026-9999"], never)).toEqual([
    { cve: "CVE-2021-44228", probability: 0.94354, date: "2026-11-29" },
    { cve: "CVE-2026-1234", probability: 0, date: "2026-11-29" },
  ]);
  expect(asked).toEqual(["GET /data/v1/epss?cve=CVE-2021-44228,CVE-2026-1234,CVE-2026-9999"]);
});

it("asks for as many at once as fit into the 2,000 characters that the API takes", async () => {
  const { source } = await serve(json(anAnswer()));
  expect(source.maxAtOnce * "CVE-2026-1234567%2C".length).toBeLessThan(2000);
});

it("passes over what it did not ask for, and what is no probability or has no date", async () => {
  const odd = ["7", "-1", "NaN", "1.5", "", 0.5, null].map((epss, nth) => anEntry(`CVE-2026-000${nth}`, epss));
  const { source } = await serve(json(anAnswer(anEntry("CVE-2000-0001"), anEntry("CVE-2026-0008", "0.5", "today"), null, ...odd)));
  const asked = Array.from({ length: 9 }, (_, nth) => `CVE-2026-000${nth}`);
  expect(await source.read(asked, never)).toEqual([]);
});

it.each([
  ["a page of a proxy", "<html>Sign in</html>", 200, "no list of scores"],
  ["an answer without data", { status: "OK" }, 200, "no list of scores"],
  ["a limit", { message: "Too Many Requests" }, 429, "answered with 429"],
])("takes %s for unreadable, and not for CVEs without a score", async (_what, body, status, message) => {
  const { source } = await serve(json(body, status));
  await expect(source.read(["CVE-2021-44228"], never)).rejects.toThrow(message);
});

it("reads no answer that is too long, and none that does not come", async () => {
  const long = await serve(json(anAnswer(anEntry("CVE-2021-44228"))), 20);
  await expect(long.source.read(["CVE-2021-44228"], never)).rejects.toThrow("longer than");
  const away = await serve((response) => void response.destroy());
  await expect(away.source.read(["CVE-2021-44228"], never)).rejects.toThrow(/connection broke|could not be reached/);
});
