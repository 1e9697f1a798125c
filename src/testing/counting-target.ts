import { createServer } from "node:http";
import { once } from "node:events";
import { z } from "zod";

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

/** A target that counts effects. It honours Idempotency-Keys for keyed effects, sets values for set effects, and applies everything else as often as it is asked. */
export interface CountingTarget extends AsyncDisposable {
  readonly url: string;
  readonly arrivals: readonly Arrival[];
}

/** Applies on arrival and answers `delayMs` later, so that a caller can die in between. */
export async function startCountingTarget(delayMs: number): Promise<CountingTarget> {
  const arrivals: Arrival[] = [];
  const seen = new Set<string>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://target");
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
      const arrival = arrivalSchema.parse(JSON.parse(body));
      const identity = arrival.effect === "keyed" ? arrival.key : `${arrival.run}:${arrival.step}`;
      const repeats = arrival.effect === "keyed" || arrival.effect === "set";
      arrivals.push({ ...arrival, at: Date.now(), applied: !(repeats && seen.has(identity)) });
      seen.add(identity);
      setTimeout(() => response.end("{}"), delayMs);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    arrivals,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
