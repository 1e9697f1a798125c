import { z } from "zod";
import { serveLoopback } from "../../demo/simulators/serve-loopback.ts";

/** One request that arrived, whether or not it changed anything. */
export interface Arrival {
  readonly run: string;
  readonly step: string;
  readonly effect: string;
  readonly key: string;
  /** Whether this arrival changed the target: a key seen before and a value set before do not. */
  readonly applied: boolean;
  /** Process that sent it; 0 when it does not say. */
  readonly pid: number;
  readonly at: number;
}

const arrivalSchema = z.object({ run: z.string(), step: z.string(), effect: z.string(), key: z.string(), pid: z.number().default(0) });

/** One write of a value that can be taken back. `planted`: somebody else set it. */
export interface ValueWrite {
  readonly kind: "set" | "undo" | "planted";
  readonly run: string;
  readonly step: string;
  /** `thing field`. */
  readonly name: string;
  /** What the value was found at. */
  readonly found: string;
  /** What was to be there, for a set or an undo. */
  readonly expected: string;
  readonly to: string;
  readonly applied: boolean;
  readonly at: number;
}

const writeSchema = z.object({
  kind: z.enum(["set", "undo"]),
  run: z.string(),
  step: z.string(),
  name: z.string(),
  expected: z.string(),
  to: z.string(),
});

/** A target that counts effects. It honours Idempotency-Keys for keyed effects, sets values for set effects, and applies everything else as often as it is asked. */
export interface CountingTarget extends AsyncDisposable {
  readonly url: string;
  readonly arrivals: readonly Arrival[];
  /** Writes of values, in order; a set or an undo is applied only when it finds what it expects (compare-and-set). */
  readonly writes: readonly ValueWrite[];
  /** Somebody else sets a value that is there; false: there is none. */
  plant(nth: number): boolean;
}

/** Applies on arrival and answers `delayMs` later, so that a caller can die in between. */
export async function startCountingTarget(delayMs: number): Promise<CountingTarget> {
  const arrivals: Arrival[] = [];
  const seen = new Set<string>();
  const writes: ValueWrite[] = [];
  const values = new Map<string, string>();
  const write = (asked: z.output<typeof writeSchema>): boolean => {
    const found = values.get(asked.name) ?? "nothing";
    const applied = found === asked.expected || found === asked.to;
    if (applied) values.set(asked.name, asked.to);
    writes.push({ ...asked, found, applied: found === asked.expected && applied, at: Date.now() });
    return applied;
  };
  const server = await serveLoopback((request, response) => {
    const url = new URL(request.url ?? "/", "http://target");
    if (url.pathname === "/value" && request.method === "GET") {
      response.end(JSON.stringify({ value: values.get(url.searchParams.get("name") ?? "") ?? "nothing" }));
      return;
    }
    if (url.pathname === "/probe") {
      const applied = arrivals.some(
        (arrival) => arrival.run === url.searchParams.get("run") && arrival.step === url.searchParams.get("step"),
      );
      response.end(JSON.stringify({ applied }));
      return;
    }
    let body = "";
    request.on("data", (chunk) => {
      body += String(chunk);
    });
    request.on("end", () => {
      if (url.pathname === "/value") {
        const applied = write(writeSchema.parse(JSON.parse(body)));
        setTimeout(() => response.writeHead(applied ? 200 : 409).end("{}"), delayMs);
        return;
      }
      const arrival = arrivalSchema.parse(JSON.parse(body));
      const identity = arrival.effect === "keyed" ? arrival.key : `${arrival.run}:${arrival.step}`;
      const repeats = arrival.effect === "keyed" || arrival.effect === "set";
      arrivals.push({ ...arrival, at: Date.now(), applied: !(repeats && seen.has(identity)) });
      seen.add(identity);
      setTimeout(() => response.end("{}"), delayMs);
    });
  });
  return {
    url: server.url,
    arrivals,
    writes,
    plant(nth) {
      const names = [...values.keys()];
      const name = names[nth % Math.max(1, names.length)];
      if (name === undefined) return false;
      const [found, to] = [values.get(name) ?? "nothing", `planted-${writes.length}`];
      values.set(name, to);
      writes.push({ kind: "planted", run: "", step: "", name, found, expected: "", to, applied: true, at: Date.now() });
      return true;
    },
    [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose](),
  };
}
