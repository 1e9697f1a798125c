import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import type { Instant } from "../../src/core/clock.ts";

/** A Redis whose scripts have the time that a test says; everything else is as it is. */
export interface TimedRedis {
  readonly redis: Redis;
  /** UTC milliseconds that the scripts have from now on; may go back. */
  readonly setTime: (at: Instant) => void;
  /** Scripts that have run, by the SHA-1 of their text. */
  readonly scripts: ReadonlySet<string>;
}

/**
 * Put before the text of each script, which is not changed otherwise: `redis` is another table in it, in which TIME is the time that the last argument
 * says, and keys end by that time. The ends of keys are in a hash, because the server's own clock does not follow.
 */
const prelude = `
local server = redis
local at = tonumber(table.remove(ARGV))
local ends = '{rb}:test:ends'
for key, ends_at in pairs((function()
  local flat, map = server.call('HGETALL', ends), {}
  for index = 1, #flat, 2 do map[flat[index]] = tonumber(flat[index + 1]) end
  return map
end)()) do
  if ends_at <= at then server.call('DEL', key); server.call('HDEL', ends, key) end
end
local function ends_in(key, ms) server.call('HSET', ends, key, string.format('%.0f', at + ms)) end
local redis = setmetatable({ call = function(name, key, ...)
  local more = { ... }
  if name == 'TIME' then
    return { string.format('%.0f', math.floor(at / 1000)), string.format('%.0f', (at % 1000) * 1000) }
  end
  if name == 'PEXPIRE' or name == 'EXPIRE' then
    if server.call('EXISTS', key) == 0 then return 0 end
    ends_in(key, tonumber(more[1]) * (name == 'EXPIRE' and 1000 or 1))
    return 1
  end
  if name == 'PTTL' then
    local ends_at = server.call('HGET', ends, key)
    if ends_at then return tonumber(ends_at) - at end
    return server.call('EXISTS', key) == 1 and -1 or -2
  end
  if name == 'DEL' or name == 'SET' then server.call('HDEL', ends, key) end
  if name == 'SET' and more[2] == 'PX' then
    ends_in(key, tonumber(more[3]))
    return server.call('SET', key, more[1])
  end
  return server.call(name, key, ...)
end }, { __index = server })
`;

/** A view of `server` that gives each script the time. */
export function injectTime(server: Redis): TimedRedis {
  let time: Instant = 0;
  const texts = new Map<string, string>();
  const scripts = new Set<string>();
  const runScript = async (sha: string, text: string, args: readonly unknown[]): Promise<unknown> => {
    scripts.add(sha);
    const timed = prelude + text;
    const [count, ...values] = args.map(String);
    return server.eval(timed, Number(count), ...values, String(time));
  };
  const over: Record<string, unknown> = {
    evalsha: async (sha: string, ...args: unknown[]) => {
      const text = texts.get(sha);
      if (text === undefined) throw new Error("NOSCRIPT The test has not seen its text.");
      return runScript(sha, text, args);
    },
    eval: async (text: string, ...args: unknown[]) => {
      const sha = createHash("sha1").update(text).digest("hex");
      texts.set(sha, text);
      return runScript(sha, text, args);
    },
  };
  const redis = new Proxy(server, {
    get(target, name) {
      const own = typeof name === "string" ? over[name] : undefined;
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return {
    redis,
    setTime(at) {
      time = at;
    },
    scripts,
  };
}
