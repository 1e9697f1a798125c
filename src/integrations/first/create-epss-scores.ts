import { z } from "zod";
import type { EpssScore } from "../../llm/findings/exploitation.ts";
import type { EpssSource } from "../../llm/findings/refresh-exploitation.ts";
import { type BoundedSender, defaultRequestLimits, type RequestLimits } from "../../platform/requests/bounded-request.ts";

/** Limits of one request: an answer has about 100 bytes for each CVE. */
export const epssRequestLimits: RequestLimits = { ...defaultRequestLimits, headersMs: 15_000, totalMs: 30_000 };

/** The API takes 2,000 characters, and answers at most 100 entries unless it is asked for more. */
const maxAtOnce = 80;

const answerShape = z.looseObject({ data: z.array(z.unknown()).max(1000) });
const entryShape = z.looseObject({
  cve: z.string(),
  // Written as text, e.g. "0.943540000".
  epss: z
    .string()
    .regex(/^(?:0(?:\.\d{1,20})?|1(?:\.0{1,20})?)$/)
    .transform(Number),
  date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
});

/** FIRST's scores, at the address of its API. The query holds CVE ids and nothing else of a finding. https://www.first.org/epss/api */
export function createEpssScores(sender: Pick<BoundedSender, "send">, url: string): EpssSource {
  return {
    maxAtOnce,
    async read(cves, signal) {
      const asked = new Set(cves);
      const query = `${url}?cve=${[...asked].map((cve) => encodeURIComponent(cve)).join(",")}`;
      const answer = await sender.send({ method: "GET", url: query, headers: { accept: "application/json" }, signal });
      if (answer.kind === "failed") throw new Error(answer.failure.message);
      if (answer.status !== 200) throw new Error(`The scores were answered with ${answer.status}.`);
      if (answer.truncated) throw new Error(`The answer is longer than ${epssRequestLimits.maxBytes} bytes.`);
      const document = answerShape.safeParse(jsonOf(answer.body));
      if (!document.success) throw new Error("The answer has no list of scores that can be read.");
      const scores = new Map<string, EpssScore>();
      for (const entry of document.data.data) {
        const parsed = entryShape.safeParse(entry);
        if (parsed.success && asked.has(parsed.data.cve))
          scores.set(parsed.data.cve, { cve: parsed.data.cve, probability: parsed.data.epss, date: parsed.data.date });
      }
      return [...scores.values()];
    },
  };
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
