import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import type { Problem } from "../../../packages/sdk/src/wire/problems.ts";
import { aProblem } from "./problem.ts";

/** Deepest nesting of arrays and objects that is parsed. */
export const maxJsonDepth = 32;

/** Bytes that all requests together may hold while they are read. */
export interface MemoryBudget {
  /** False: there is no room for them now. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

/** A budget of `limitBytes` for one process. */
export function createMemoryBudget(limitBytes: number): MemoryBudget {
  let used = 0;
  return {
    take(bytes) {
      if (used + bytes > limitBytes) return false;
      used += bytes;
      return true;
    },
    give(bytes) {
      used -= bytes;
    },
  };
}

/** A parsed body with its text, or why it is refused. */
export type JsonBody =
  | { readonly ok: true; readonly value: unknown; readonly text: string }
  | { readonly ok: false; readonly problem: Problem; readonly text?: string };

/** What one reader of a body accepts beyond the usual. */
export interface BodyOptions {
  /** Media types without parameters; only application/json unless said. */
  readonly contentTypes?: readonly string[];
}

/** Limits of one request's body. `limitBytes` holds for what was sent and for what it inflates to. */
export interface BodyLimits extends BodyOptions {
  readonly limitBytes: number;
  readonly budget: MemoryBudget;
}

/** Reads one JSON document from a request: content type, size, encoding, nesting and syntax are checked in this order, and no byte is kept after it. */
export async function readJsonBody(request: IncomingMessage, { limitBytes, budget, contentTypes }: BodyLimits): Promise<JsonBody> {
  const typeFault = faultOfContentType(request.headers["content-type"], contentTypes);
  if (typeFault !== undefined) return refuse("unsupported-media-type", typeFault);
  const encoding = request.headers["content-encoding"] ?? "identity";
  if (encoding !== "identity" && encoding !== "gzip") {
    return refuse("unsupported-media-type", "The content-encoding is not accepted; send identity or gzip.");
  }
  if (Number(request.headers["content-length"] ?? 0) > limitBytes) return refuse("body-too-large", tooLarge(limitBytes));

  const read = await (encoding === "gzip" ? inflateBytes(request, { limitBytes, budget }) : readBytes(request, { limitBytes, budget }));
  // What still arrives is read and dropped, so that the sender sees our answer instead of a reset; the server's request timeout ends it.
  request.resume();
  if (!read.ok) return { ok: false, problem: read.problem };
  try {
    return parseJson(read.bytes);
  } finally {
    budget.give(read.taken);
  }
}

/** Parses one JSON document; deeper nesting than {@link maxJsonDepth} is refused before anything recursive sees it. */
export function parseJson(bytes: Uint8Array): JsonBody {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refuse("malformed-body", "The body is not UTF-8.");
  }
  if (isDeeperThan(bytes, maxJsonDepth)) {
    const detail = `The body nests deeper than ${maxJsonDepth} levels.`;
    return { ok: false, problem: aProblem("malformed-body", detail), text };
  }
  try {
    return { ok: true, value: JSON.parse(text) as unknown, text };
  } catch {
    return { ok: false, problem: aProblem("malformed-body", "The body is not one JSON document."), text };
  }
}

/** Whether brackets outside strings nest deeper than `limit`; one pass, no recursion, and text that is no JSON does no harm. */
export function isDeeperThan(bytes: Uint8Array, limit: number): boolean {
  const [quote, backslash, openList, openMap, closeList, closeMap] = [0x22, 0x5c, 0x5b, 0x7b, 0x5d, 0x7d];
  let depth = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (inText) {
      if (byte === backslash) at += 1;
      else if (byte === quote) inText = false;
    } else if (byte === quote) inText = true;
    else if (byte === openList || byte === openMap) {
      depth += 1;
      if (depth > limit) return true;
    } else if (byte === closeList || byte === closeMap) depth -= 1;
  }
  return false;
}

/** Why a body of this content type is not read; undefined when it is. */
export function faultOfContentType(header: string | undefined, accepted: readonly string[] = ["application/json"]): string | undefined {
  const [type = "", ...parameters] = (header ?? "").toLowerCase().split(";");
  if (!accepted.includes(type.trim())) return `The content-type must be ${accepted.join(" or ")}.`;
  const charset = parameters.map((parameter) => parameter.trim()).find((parameter) => parameter.startsWith("charset="));
  const isUtf8 = charset === undefined || charset === "charset=utf-8" || charset === 'charset="utf-8"';
  return isUtf8 ? undefined : "The charset must be utf-8.";
}

type ReadBytes =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly taken: number }
  | { readonly ok: false; readonly problem: Problem };

async function inflateBytes(request: IncomingMessage, limits: BodyLimits): Promise<ReadBytes> {
  const inflated = createGunzip();
  request.once("error", (error) => inflated.destroy(error));
  try {
    return await readBytes(request.pipe(inflated), limits);
  } finally {
    // A bomb must not go on inflating what nobody reads.
    request.unpipe(inflated);
    inflated.destroy();
  }
}

async function readBytes(stream: Readable, { limitBytes, budget }: BodyLimits): Promise<ReadBytes> {
  const chunks: Buffer[] = [];
  let taken = 0;
  let refusal: Problem | undefined;
  await new Promise<void>((resolve) => {
    const end = (problem?: Problem) => {
      refusal ??= problem;
      stream.off("data", onData);
      resolve();
    };
    const onData = (chunk: Buffer) => {
      if (taken + chunk.length > limitBytes) return end(aProblem("body-too-large", tooLarge(limitBytes)));
      if (!budget.take(chunk.length)) return end(aProblem("unavailable", "Too many bodies are being read; try again."));
      taken += chunk.length;
      chunks.push(chunk);
    };
    stream.on("data", onData);
    stream.once("end", () => end());
    const broken = () => end(aProblem("malformed-body", "The body broke off or cannot be inflated."));
    stream.on("error", broken);
    stream.once("close", () => {
      if (!stream.readableEnded) broken();
    });
  });
  if (refusal === undefined) return { ok: true, bytes: Buffer.concat(chunks), taken };
  budget.give(taken);
  return { ok: false, problem: refusal };
}

function refuse(name: Parameters<typeof aProblem>[0], detail: string): JsonBody {
  return { ok: false, problem: aProblem(name, detail) };
}

function tooLarge(limitBytes: number): string {
  return `The body is larger than ${limitBytes} bytes.`;
}
