import { z } from "zod";
import type { HttpPort } from "../../actions/http-port.ts";
import type { Clock } from "../../core/clock.ts";
import { isCommitId } from "../../core/commit-id.ts";
import { oneLine } from "../../core/one-line.ts";
import type { RunningVersion } from "../../llm/releases/deployer.ts";

/** One process may take so long to say what it runs; one that hangs is not one that runs the release. */
const answerMs = 5000;
const maxInstance = 200;

/** `{"sha": …, "instance": …}`; `commit` in place of `sha` is accepted, and the number of a process as its name. */
const versionSchema = z.object({
  sha: z.string().exactOptional(),
  commit: z.string().exactOptional(),
  instance: z.union([z.string().min(1).max(maxInstance), z.int()]).exactOptional(),
});

/**
 * Asks each address which commit its process runs. What does not answer with status 200 and the full id of a commit says nothing, and is never a process on
 * any release.
 */
export function createVersionReader(
  http: Pick<HttpPort, "request">,
  clock: Pick<Clock, "timeout">,
): (urls: readonly string[], signal: AbortSignal) => Promise<readonly RunningVersion[]> {
  return async (urls, signal) =>
    Promise.all(
      urls.map(async (url) => {
        const limited = AbortSignal.any([signal, clock.timeout(answerMs)]);
        const answer = await http.request({ method: "GET", url, headers: { accept: "application/json" }, signal: limited });
        signal.throwIfAborted();
        return answer.kind === "answered" && answer.status === 200 ? { url, ...versionOf(answer.body) } : { url };
      }),
    );
}

function versionOf(body: string): Omit<RunningVersion, "url"> {
  const { sha, commit, instance } = parse(body) ?? {};
  const said = (sha ?? commit ?? "").toLowerCase();
  const name = instance === undefined ? "" : oneLine(String(instance));
  return { ...(isCommitId(said) && { sha: said }), ...(name !== "" && { instance: name }) };
}

function parse(body: string): z.output<typeof versionSchema> | undefined {
  try {
    return versionSchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}
