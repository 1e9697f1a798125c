import { chmodSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { aCommandTemplate } from "../../../test/builders/action-bench.ts";
import { aTry, attackedFeature, shas } from "../../../test/builders/an-attack.ts";
import { createSystemClock } from "../../core/clock.ts";
import type { CommandTemplate } from "../../core/command-template.ts";
import type { AttackedVersion } from "../../llm/attacks/attack-runner.ts";
import { createCommandAttacks } from "./create-command-attacks.ts";
import { createCommandRunner } from "./create-command-runner.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "runbookd-command-attacks-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const sha = `echo '{"sha":"${shas.deployed}"}'`;

interface Change {
  readonly template?: Partial<CommandTemplate>;
  readonly version?: AttackedVersion;
  readonly signal?: AbortSignal;
}

/** One replay of one try by a script. */
async function replay(script: string, { template, version = { kind: "deployed" }, signal = new AbortController().signal }: Change = {}) {
  const program = join(root, "attack.sh");
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  const pattern = (text: string) => ({ kind: "pattern", pattern: text, leadingDash: false }) as const;
  const attacks = createCommandAttacks({
    clock: createSystemClock(),
    commands: createCommandRunner({
      templates: [
        aCommandTemplate({
          name: "attack-desk",
          argv: [program, "{sha}", "{key}", "{file}"],
          args: { sha: pattern("deployed|[0-9a-f]{40}"), key: pattern("[0-9a-f]{32}"), file: pattern("/.+") },
          env: { PATH: "/usr/bin:/bin", ROOT: root },
          cwd: root,
          ...template,
        }),
      ],
      clock: createSystemClock(),
      setpriv: undefined,
      redact: (text) => text.replaceAll("secret", "[redacted]"),
      graceMs: 200,
      maxBytes: 100_000,
    }),
  });
  return attacks.replay({ feature: attackedFeature, version, tries: [aTry()] }, { key: "key 1", progress: undefined, signal });
}

const failure = (message: string, reason = "refused_by_target") => ({
  failure: { reason, applied: "no", message: expect.stringContaining(message) },
});

describe("a command as attack runner", () => {
  it("is given the tries in a file that only it can read and that is gone afterwards, and the version as argument and variable", async () => {
    await replay(`cp "$3" tries.json; stat -c %a "$3" > mode; echo "$1 $RUNBOOKD_SHA $RUNBOOKD_FEATURE $3" > said; ${sha}`);
    expect(JSON.parse(readFileSync(join(root, "tries.json"), "utf8"))).toEqual({ feature: "export", version: "deployed", tries: [aTry()] });
    const [first, second, feature, file = ""] = readFileSync(join(root, "said"), "utf8").trim().split(" ");
    expect([first, second, feature]).toEqual(["deployed", "deployed", "export"]);
    expect(readFileSync(join(root, "mode"), "utf8")).toBe("600\n");
    expect(existsSync(file)).toBe(false);
    await replay(`echo "$1 $RUNBOOKD_SHA" > said; ${sha}`, { version: { kind: "commit", sha: shas.fix } });
    expect(readFileSync(join(root, "said"), "utf8")).toBe(`${shas.fix} ${shas.fix}\n`);
  });

  it("answers with the transcripts and the commit, whatever else it prints, without secrets", async () => {
    const lines = [
      { id: "attack/injection/1", answers: ["the secret"], toolCalls: [{ name: "send", arguments: { url: "x" } }], received: ["y"] },
      { id: "attack/injection/2", failed: "no\u001b[31m model" },
    ];
    writeFileSync(join(root, "lines"), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
    expect(await replay(`echo starting; cat lines; ${sha}`)).toEqual({
      kind: "done",
      result: {
        sha: shas.deployed,
        transcripts: [
          {
            id: "attack/injection/1",
            answers: ["the [redacted]"],
            toolCalls: [{ name: "send", arguments: { url: "x" } }],
            received: ["y"],
          },
          { id: "attack/injection/2", answers: [], toolCalls: [], received: [], failed: "no model" },
        ],
      },
    });
  });

  it.each([
    ["it names no commit", "true", "named 0 commits"],
    ["it names two", `${sha}; echo '{"sha":"${shas.fix}"}'`, "named 2 commits"],
    ["a line is cut off", `echo '{"id":"a'; ${sha}`, "Line 1 of the command attack-desk is neither"],
    ["a transcript has another form", `echo '{"id":"a","answers":"x"}'; ${sha}`, "Line 1"],
    ["it ends with another status", `echo no docker >&2; exit 3`, "ended with status 3. Its last line: no docker"],
    ["it prints too much", `head -c 200000 /dev/zero | tr '\\0' x; ${sha}`, "which is too much"],
    ["it leaves processes behind", `sleep 60 & ${sha}`, "left processes behind"],
  ])("shows nothing when %s", async (_, script, message) => {
    await expect(replay(script)).rejects.toMatchObject(failure(message));
  });

  it("is not brought down by a line that is nested deeply", async () => {
    writeFileSync(join(root, "line"), `{"id":"a","toolCalls":[{"name":"t","arguments":${"[".repeat(40_000)}${"]".repeat(40_000)}}]}\n`);
    await expect(replay(`cat line; ${sha}`)).rejects.toMatchObject(failure("Line 1"));
  });

  it("is killed at its time limit, and when the run is stopped", async () => {
    await expect(replay("sleep 60", { template: { timeoutMs: 200 } })).rejects.toMatchObject(failure("was killed (timeout)", "timeout"));
    const controller = new AbortController();
    const stopped = replay("sleep 60", { signal: controller.signal });
    controller.abort(new Error("stopped"));
    await expect(stopped).rejects.toMatchObject({ failure: { applied: "no" } });
  });

  it("is refused when the command does not accept the file, or is not registered", async () => {
    const args = { file: { kind: "pattern", pattern: "[a-z]+", leadingDash: false } } as const;
    await expect(replay(sha, { template: { args } })).rejects.toMatchObject(failure("Argument file must be"));
    await expect(replay(sha, { template: { name: "another" } })).rejects.toMatchObject(failure("names no command that is registered"));
  });
});
