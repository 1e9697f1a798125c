import type { RequestListener } from "node:http";
import { serveLoopback } from "../serve-loopback.ts";
import type { BatchEngine } from "./batch-engine.ts";
import type { QuirkSet } from "./batch-quirk.ts";
import type { BatchServer } from "./batch-server.ts";

/** Serves a provider of batches. `counts` grow while it runs. */
export async function serveBatches(
  listener: RequestListener,
  port: number | undefined,
  of: {
    readonly engine: Pick<BatchEngine<unknown>, "billed">;
    readonly quirks: QuirkSet;
    readonly counts: { readonly requests: number; readonly created: number };
  },
): Promise<BatchServer> {
  const server = await serveLoopback(listener, port);
  return {
    url: server.url,
    stats: () => ({
      ...of.counts,
      billedMicroUsd: of.engine.billed(0, Number.POSITIVE_INFINITY).reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0),
    }),
    inject: (quirk) => of.quirks.inject(quirk),
    [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose](),
  };
}
