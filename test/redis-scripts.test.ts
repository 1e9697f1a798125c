import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { accept, alertScripts } from "../src/alerts/redis-scripts.ts";
import { questionScripts } from "../src/approvals/redis-scripts.ts";
import { appendRecord } from "../src/audit/redis-scripts.ts";
import { submissionScripts } from "../src/llm/batches/provider/redis-scripts.ts";
import { batchScripts } from "../src/llm/batches/redis-scripts.ts";
import { budgetScripts } from "../src/llm/budgets/redis-scripts.ts";
import { findingScripts } from "../src/llm/findings/redis-scripts.ts";
import { setFlag } from "../src/llm/flags/redis-scripts.ts";
import { promptScripts } from "../src/llm/prompts/redis-scripts.ts";
import { recordFollower } from "../src/llm/rollouts/redis-follower-script.ts";
import { rolloutScripts } from "../src/llm/rollouts/redis-scripts.ts";
import { setRoute } from "../src/llm/routing/redis-scripts.ts";
import { ticketScripts } from "../src/llm/tickets/redis-scripts.ts";
import { outboxScripts } from "../src/notifications/redis-scripts.ts";
import { startSession } from "../src/platform/http/redis-sessions.ts";
import type { ScriptContract } from "../src/platform/redis/script.ts";
import { runScripts } from "../src/runs/redis-scripts.ts";

const root = join(import.meta.dirname, "..");
const inRoot = (path: string) => relative(root, path).replaceAll("\\", "/");

const contracts: readonly ScriptContract[] = [
  accept,
  ...Object.values(alertScripts),
  appendRecord,
  ...Object.values(questionScripts),
  ...Object.values(outboxScripts),
  ...Object.values(runScripts),
  ...Object.values(budgetScripts),
  ...Object.values(ticketScripts),
  ...Object.values(batchScripts),
  ...Object.values(submissionScripts),
  ...Object.values(promptScripts),
  ...Object.values(rolloutScripts),
  ...Object.values(findingScripts),
  setRoute,
  setFlag,
  recordFollower,
  startSession,
].map(({ contract }) => contract);

const luaFiles = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .map((path) => `src/${path.replaceAll("\\", "/")}`)
  .filter((path) => path.endsWith(".lua"));
const preludes = luaFiles.filter((path) => path.startsWith("src/platform/redis/lua/"));
const scripts = luaFiles.filter((path) => !preludes.includes(path));

interface Input {
  readonly list: "KEYS" | "ARGV";
  readonly name: string;
  readonly place: number;
  readonly isTail: boolean;
}

/** The input that a line of a script's head names. */
function inputOf(line: string): Input | undefined {
  const [, name = "", expression = ""] = /^local (\w+) = (.+?)(?: -- .+)?$/.exec(line) ?? [];
  const one = /^(KEYS|ARGV)\[(\d+)\](?: == '1')?$|^tonumber\((ARGV)\[(\d+)\]\)$/.exec(expression);
  const tail = /^\{ unpack\((KEYS|ARGV), (\d+)\) \}$/.exec(expression);
  const list = one?.[1] ?? one?.[3] ?? tail?.[1];
  if (list !== "KEYS" && list !== "ARGV") return undefined;
  return { list, name, place: Number(one?.[2] ?? one?.[4] ?? tail?.[2]), isTail: tail !== null };
}

function readScript(path: string): { readonly comment: string; readonly inputs: readonly Input[]; readonly body: string } {
  const lines = readFileSync(path, "utf8").split("\n");
  const start = lines.findIndex((line) => !line.startsWith("--"));
  const inputs: Input[] = [];
  for (const line of lines.slice(start)) {
    const input = inputOf(line);
    if (input === undefined) break;
    inputs.push(input);
  }
  return { comment: lines.slice(0, start).join("\n"), inputs, body: lines.slice(start + inputs.length).join("\n") };
}

function expectedInputs({ keys, moreKeys, args, moreArgs }: ScriptContract): readonly Input[] {
  const inputs = (list: Input["list"], names: readonly string[], more: string | undefined): Input[] =>
    [...names, ...(more === undefined ? [] : [more])].map((name, index) => ({
      list,
      name: name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      place: index + 1,
      isTail: index === names.length,
    }));
  return [...inputs("KEYS", keys, moreKeys), ...inputs("ARGV", args, moreArgs)];
}

test("every Lua script has exactly one contract", () => {
  expect(contracts.map(({ path }) => inRoot(path)).toSorted()).toEqual(scripts.toSorted());
});

describe.each(contracts.map((contract) => [inRoot(contract.path), contract] as const))("%s", (_, contract) => {
  const { comment, inputs, body } = readScript(contract.path);

  test("names the keys and arguments of its contract first, in the same order", () => {
    expect(inputs).toEqual(expectedInputs(contract));
  });

  test("reads them by name only, and says what it replies", () => {
    expect(body.match(/\b(KEYS|ARGV)\b/g)).toBeNull();
    expect(comment).toMatch(/^-- Replies: ./m);
  });
});

test.each([...scripts, ...preludes])("%s keeps to the style", (path) => {
  const lines = readFileSync(join(root, path), "utf8").split("\n");
  expect(lines.filter((line) => line.length > 100)).toEqual([]);
  expect(lines.filter((line) => /\bthen\b.*\bend\b/.test(line.replace(/--.*/, "")))).toEqual([]);
});

test.each(preludes)("%s takes its keys and arguments as parameters", (path) => {
  expect(readFileSync(join(root, path), "utf8").match(/\b(KEYS|ARGV)\b/g)).toBeNull();
});
