import { z } from "zod";
import { createSystemClock } from "../../src/core/clock.ts";
import { waitUntil } from "../wait-until.ts";

const releaseShape = z.looseObject({ sha: z.string(), state: z.enum(["running", "done", "failed"]), fault: z.string().optional() });

/** A release that is wanted. */
export interface WantedRelease {
  /** Address of the process manager. */
  readonly supervisor: string;
  /** The same key is the same release. */
  readonly key: string;
  readonly sha: string;
}

/** Has the process manager put a commit into service, and resolves when it serves. Rejects with what the process manager says against it. */
export async function putIntoService({ supervisor, key, sha }: WantedRelease): Promise<void> {
  const address = `${supervisor}/releases/${encodeURIComponent(key)}`;
  const response = await fetch(address, { method: "PUT", body: JSON.stringify({ sha }), signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`The process manager answered ${response.status}: ${await response.text()}`);
  const release = await waitUntil(
    createSystemClock(),
    "The commit is not in service",
    async () => {
      const asked = await fetch(address, { signal: AbortSignal.timeout(5000) });
      const read = releaseShape.parse(await asked.json());
      return read.state === "running" ? undefined : read;
    },
    { withinMs: 180_000, everyMs: 200 },
  );
  if (release.state === "failed") throw new Error(release.fault ?? "The release failed.");
}
