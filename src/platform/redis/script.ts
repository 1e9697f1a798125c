import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Redis } from "ioredis";

/** One argument of a script; `true` and `false` arrive as `'1'` and `'0'`. */
export type ScriptValue = string | number | boolean | Buffer;

/** Lua that several scripts begin with, by the name of its file in `lua/` beside this module. */
export type Prelude =
  | "now-ms"
  | "claims"
  | "freeze"
  | "reservations"
  | "rollouts"
  | "budget-queues"
  | "usage-events"
  | "ticket-states"
  | "ticket-writes"
  | "admissions"
  | "lease-releases"
  | "index-page"
  | "run-indexes"
  | "open-runs"
  | "feed";

/** What a script takes. Its file names the same keys and arguments in its first lines, in this order and in snake_case. */
export interface ScriptContract<Key extends string = string, Arg extends string = string> {
  /** The script's file. */
  readonly path: string;
  readonly preludes?: readonly Prelude[];
  readonly keys: readonly Key[];
  readonly args: readonly Arg[];
  /** Name of the list of further keys, if the script takes one. */
  readonly moreKeys?: string;
  /** Name of the list of further arguments, if the script takes one. */
  readonly moreArgs?: string;
}

/** The keys and arguments of one call, by name. */
export interface ScriptCall<Key extends string, Arg extends string> {
  readonly keys: Readonly<Record<Key, string>>;
  readonly args: Readonly<Record<Arg, ScriptValue>>;
  readonly moreKeys?: readonly string[];
  readonly moreArgs?: readonly ScriptValue[];
}

/** A Lua script in a file of its own, and the call of it. */
export interface Script<Key extends string = string, Arg extends string = string> {
  readonly contract: ScriptContract<Key, Arg>;
  /** The script's reply. Rejects with Redis' error, also when the script fails. */
  run(redis: Redis, call: ScriptCall<Key, Arg>): Promise<unknown>;
}

/**
 * The script of `contract`. Its file and those of its preludes are read at the first call.
 * It runs by hash; the text is sent once when the server does not know it, after a restart or a failover.
 */
export function defineScript<const Key extends string, const Arg extends string>(contract: ScriptContract<Key, Arg>): Script<Key, Arg> {
  const { keys: keyNames, args: argNames } = contract;
  let loaded: { readonly text: string; readonly sha: string } | undefined;
  return {
    contract,
    async run(redis, { keys, args, moreKeys = [], moreArgs = [] }) {
      loaded ??= load(contract);
      const allKeys = [...keyNames.map((name) => keys[name]), ...moreKeys];
      const values = [...argNames.map((name) => wireValue(args[name])), ...moreArgs.map(wireValue)];
      try {
        return await redis.evalsha(loaded.sha, allKeys.length, ...allKeys, ...values);
      } catch (error) {
        if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
        return redis.eval(loaded.text, allKeys.length, ...allKeys, ...values);
      }
    },
  };
}

function load({ path, preludes = [] }: ScriptContract): { readonly text: string; readonly sha: string } {
  const shared = preludes.map((name) => join(import.meta.dirname, "lua", `${name}.lua`));
  const text = [...shared, path].map((file) => readFileSync(file, "utf8")).join("\n");
  return { text, sha: createHash("sha1").update(text).digest("hex") };
}

function wireValue(value: ScriptValue): string | number | Buffer {
  return typeof value === "boolean" ? (value ? "1" : "0") : value;
}

/** A script's reply as a list. Throws when the reply is not a list, which means that the script and its caller do not match. */
export function resultList(result: unknown): readonly (string | number)[] {
  if (!Array.isArray(result)) throw new Error(`The script replied with ${typeof result} instead of a list.`);
  return result.map((item: unknown) => (typeof item === "number" ? item : String(item)));
}
