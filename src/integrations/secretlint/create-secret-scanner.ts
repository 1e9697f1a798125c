import { Worker } from "node:worker_threads";
import { z } from "zod";
import type { Clock } from "../../core/clock.ts";
import { maxScannedLength, type SecretScan, type SecretScanner } from "../../llm/findings/secret-scanner.ts";

/** Bounds of a scanner; what is absent has its default. */
export interface SecretScannerLimits {
  /** Longest time of one scan in milliseconds, the start of its thread included; 5,000. */
  readonly maxScanMs?: number;
  /** Scans that may wait; 100. */
  readonly maxWaiting?: number;
  /** Scans before the thread is replaced, because the library keeps measurements of each; 500. */
  readonly maxScansOfThread?: number;
}

const answerSchema = z.object({
  id: z.number(),
  secrets: z.array(z.object({ type: z.string(), start: z.number(), end: z.number() })).optional(),
});

/**
 * Runs the recommended rules of secretlint in a thread of their own, one text at a time: a text that a rule takes too long for costs its thread and not this
 * process.
 */
export function createSecretScanner(
  clock: Pick<Clock, "after">,
  { maxScanMs = 5000, maxWaiting = 100, maxScansOfThread = 500 }: SecretScannerLimits = {},
): SecretScanner & { close(): Promise<void> } {
  let thread: Worker | undefined;
  let scans = 0;
  let waiting = 0;
  let last: Promise<unknown> = Promise.resolve();

  const endThread = async (): Promise<void> => {
    const ended = thread;
    thread = undefined;
    scans = 0;
    await ended?.terminate();
  };

  const open = (): Worker => {
    if (thread !== undefined) return thread;
    thread = new Worker(new URL("./scan-worker.js", import.meta.url), { resourceLimits: { maxOldGenerationSizeMb: 256 } });
    // What it says may quote the text; that the thread has ended is told by its exit.
    thread.on("error", () => undefined);
    thread.unref();
    return thread;
  };

  const scanNow = async (text: string): Promise<SecretScan> => {
    const worker = open();
    scans += 1;
    const id = scans;
    const listeners = new AbortController();
    const result = await new Promise<SecretScan>((resolve) => {
      const failed = (reason: string) => resolve({ kind: "unscanned", reason });
      const timer = clock.after(maxScanMs, () => failed(`the scan took longer than ${maxScanMs} ms`));
      const onMessage = (message: unknown) => {
        const answer = answerSchema.safeParse(message);
        if (!answer.success || answer.data.id !== id) return;
        const { secrets } = answer.data;
        if (secrets === undefined) failed("a rule of the scanner failed");
        else resolve({ kind: "scanned", secrets });
      };
      const onEnd = () => failed("the scanner's thread ended");
      worker.on("message", onMessage).on("exit", onEnd);
      listeners.signal.addEventListener("abort", () => {
        timer.stop();
        worker.off("message", onMessage).off("exit", onEnd);
      });
      worker.postMessage({ id, text }, []);
    });
    listeners.abort();
    if (result.kind === "unscanned" || scans >= maxScansOfThread) await endThread();
    return result;
  };

  return {
    async scan(text) {
      if (text.length > maxScannedLength) return { kind: "unscanned", reason: `the text is longer than ${maxScannedLength} characters` };
      if (waiting >= maxWaiting) return { kind: "unscanned", reason: `${maxWaiting} texts are waiting already` };
      waiting += 1;
      const turn = last.then(async () => scanNow(text));
      last = turn.catch(() => undefined);
      try {
        return await turn;
      } catch {
        return { kind: "unscanned", reason: "the scanner's thread could not be started" };
      } finally {
        waiting -= 1;
      }
    },
    close: endThread,
  };
}
