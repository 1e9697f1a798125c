import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CustomerRequest,
  checkIncident,
  type IncidentFacts,
  type OriginFacts,
  type ReceivedText,
  type RunningProcess,
} from "./check-incident.ts";

/*
 * `node main.js <addresses and logs, as JSON>` prints the check as one line of JSON.
 */

/** What the program is given. */
interface Places extends Pick<IncidentFacts, "honeytoken" | "offAt" | "onAgainAt" | "pidsBefore" | "minTests"> {
  readonly listenerLog: string;
  readonly customersLog: string;
  readonly versionUrls: readonly string[];
  readonly git: string;
  /** The bare origin. */
  readonly origin: string;
  readonly deployedBefore: string;
  /** The commit that was tested. */
  readonly fix: string;
}

const [file = ""] = process.argv.slice(2);
const places: Places = JSON.parse(readFileSync(file, "utf8"));
const { listenerLog, customersLog, versionUrls, ...given } = places;

/** The whole lines of a log; the last one may be half written. */
function linesOf(path: string): readonly string[] {
  const text = readFileSync(path, "utf8");
  return text
    .slice(0, text.lastIndexOf("\n") + 1)
    .split("\n")
    .filter((line) => line !== "");
}

async function askVersion(url: string): Promise<RunningProcess> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(5000) });
    const said: { sha: string; pid: number } = JSON.parse(await response.text());
    return { url, sha: said.sha, pid: said.pid, isAlive: isAlive(said.pid) };
  } catch {
    return { url, isAlive: false };
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Reads the origin, and runs its tests in a clone of its own. */
function readOrigin({ git, origin, deployedBefore, fix }: Places): OriginFacts {
  const call = (...args: readonly string[]) => execFileSync(git, ["-C", origin, ...args], { encoding: "utf8" }).trim();
  const head = call("rev-parse", "refs/heads/main");
  const hasFix = spawnSync(git, ["-C", origin, "merge-base", "--is-ancestor", fix, head]).status === 0;
  const merges = Number(call("rev-list", "--first-parent", "--count", `${deployedBefore}..${head}`));
  const folder = mkdtempSync(join(tmpdir(), "incident-check-"));
  try {
    execFileSync(git, ["clone", "-q", "--branch", "main", origin, join(folder, "clone")]);
    const { stdout } = spawnSync(process.execPath, ["--test", "--test-reporter=tap", "test/"], {
      cwd: join(folder, "clone"),
      env: { PATH: process.env["PATH"] },
      encoding: "utf8",
      timeout: 60_000,
    });
    const count = (word: string) => Number(new RegExp(`^# ${word} (\\d+)$`, "m").exec(stdout)?.[1] ?? "0");
    return { head, hasFix, merges, passed: count("pass"), failed: count("fail") };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const check = checkIncident({
  ...given,
  received: linesOf(listenerLog).map((line): ReceivedText => JSON.parse(line)),
  requests: linesOf(customersLog).map((line): CustomerRequest => JSON.parse(line)),
  processes: await Promise.all(versionUrls.map(askVersion)),
  origin: readOrigin(places),
});
console.log(JSON.stringify(check));
