import { type DestinationStream, type Level, pino } from "pino";
import { escapeHidden } from "../../core/clean-text.ts";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import type { Redaction } from "./redaction.ts";

/** How deep fields are shown; below is replaced. */
const depthLimit = 6;

/**
 * Writes lines to `destination` (standard output by default). Secrets of `redaction` are removed by value from the finished line,
 * so that no field, message or error can carry them. Errors lose everything but name, message, code, stack and cause:
 * a Redis client's error holds the arguments of its command.
 */
export function createLog({
  level,
  destination,
  redaction,
  clock,
}: {
  readonly level: Level | "silent";
  readonly destination?: DestinationStream;
  readonly redaction: Redaction;
  readonly clock: Pick<Clock, "now">;
}): Log {
  const options: Parameters<typeof pino>[0] = {
    level,
    base: null,
    timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"`,
    formatters: {
      level: (label) => ({ level: label }),
      log: (fields) => Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, plain(value, 0)])),
    },
    // pino's own error serializer would copy every property of an error.
    serializers: { err: (value: unknown) => value },
    hooks: { streamWrite: (line) => escapeHidden(redaction.apply(line)) },
  };
  return wrap(destination === undefined ? pino(options) : pino(options, destination));
}

type Lines = Pick<ReturnType<typeof pino>, "debug" | "info" | "warn" | "error" | "child">;

function wrap(lines: Lines): Log {
  return {
    debug: (fields, message) => lines.debug(fields, message),
    info: (fields, message) => lines.info(fields, message),
    warn: (fields, message) => lines.warn(fields, message),
    error: (fields, message) => lines.error(fields, message),
    ofRun: (run, step) => wrap(lines.child(step === undefined ? { run } : { run, step })),
  };
}

function plain(value: unknown, depth: number): unknown {
  if (value === null || typeof value !== "object") return typeof value === "bigint" ? value.toString() : value;
  if (depth >= depthLimit) return "[deeper]";
  if (value instanceof Error) return plainError(value, depth);
  if (Buffer.isBuffer(value)) return `[${value.length} bytes]`;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "invalid date" : value.toISOString();
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field, depth + 1)]));
}

function plainError(error: Error, depth: number): { [name: string]: unknown } {
  const code = "code" in error && (typeof error.code === "string" || typeof error.code === "number") ? { code: error.code } : {};
  const cause = error.cause === undefined ? {} : { cause: plain(error.cause, depth + 1) };
  return { name: error.name, message: error.message, ...code, stack: error.stack, ...cause };
}
