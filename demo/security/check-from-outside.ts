import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import type { ScenarioContext } from "../scenario.ts";
import { deskTests } from "./desk-files.ts";
import { type DeskPlaces, deskRepositoryName, versionUrlOf } from "./desk-places.ts";
import type { OutsideCheck, SecurityObservations } from "./security-result.ts";

const run = promisify(execFile);

const checkShape = z.looseObject({
  leaksBefore: z.number(),
  leaksAfterOff: z.number(),
  servedAfterOff: z.number(),
  newProcesses: z.number(),
  tests: z.object({ passed: z.number(), failed: z.number(), sha: z.string() }),
  differences: z.array(z.string()),
});

/** What is checked. */
interface CheckedIncident {
  readonly observations: SecurityObservations;
  readonly places: DeskPlaces;
  readonly pidsBefore: readonly number[];
}

/** What is there. */
interface CheckedFromOutside {
  /** Undefined: the program has said nothing. */
  readonly check: OutsideCheck | undefined;
  /** Undefined: it cannot be counted. */
  readonly effectsRepeated: number | undefined;
}

/** Starts the program that imports nothing of the product, and counts how often each effect has happened. */
export async function checkFromOutside(
  { services, folder }: Pick<ScenarioContext, "services" | "folder">,
  { observations, places, pidsBefore }: CheckedIncident,
): Promise<CheckedFromOutside> {
  const { git, repository, honeytoken, listenerLog, customersLog, ports } = places;
  const { offAt, onAgainAt, fixSha } = observations;
  if (offAt === undefined || fixSha === undefined) return { check: undefined, effectsRepeated: undefined };
  const given = join(folder.work, "incident.json");
  await writeFile(
    given,
    JSON.stringify({
      honeytoken,
      offAt,
      onAgainAt,
      pidsBefore,
      minTests: deskTests.all,
      listenerLog,
      customersLog,
      versionUrls: ports.map(versionUrlOf),
      git,
      origin: repository.origin,
      deployedBefore: repository.deployedSha,
      fix: fixSha,
    }),
  );
  const program = services.group.start({
    name: "incident-check",
    program: process.execPath,
    args: [join(services.projectRoot, "dist/test/incident-check/main.js"), given],
  });
  await program.gone;
  const check = checkShape.safeParse(parseJson(await readFile(program.logFile, "utf8"))).data;
  return { check, effectsRepeated: await countRepeated(observations, places) };
}

/** Merges, deployments of the merged commit and post-mortems beyond the first one of each. */
async function countRepeated(
  { mergeSha }: SecurityObservations,
  { git, repository, supervisorLog, github }: DeskPlaces,
): Promise<number | undefined> {
  if (mergeSha === undefined) return undefined;
  const call = async (...args: readonly string[]) => (await run(git, ["-C", repository.origin, ...args])).stdout.trim();
  const merges = Number(await call("rev-list", "--first-parent", "--count", `${repository.deployedSha}..refs/heads/main`));
  const begun = (await readFile(supervisorLog, "utf8"))
    .split("\n")
    .filter((line) => line.includes('"kind":"begun"') && line.includes(mergeSha)).length;
  const refs = (await call("for-each-ref", "--format=%(refname)", "refs/runbookd/issues/")).split("\n").filter((line) => line !== "");
  const issues = refs.length + github.pulls.issues(deskRepositoryName).length;
  return [merges, begun, issues].reduce((sum, count) => sum + Math.max(0, count - 1), 0);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
