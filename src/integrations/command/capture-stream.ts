import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { CommandStream } from "../../actions/command-runner.ts";

/** Kept beyond the limit, so that a secret on the limit is still whole when secrets are replaced; cut afterwards. */
const margin = 4096;

/** Characters of the end that are kept: a command writes its result last. */
const maxTail = 16_384;

/** Reads a stream to its end, keeps its beginning and its end, hashes all of it. */
export function captureStream(stream: Readable, maxBytes: number, redact: (text: string) => string): () => CommandStream {
  const hash = createHash("sha256");
  const chunks: Buffer[] = [];
  const ends: Buffer[] = [];
  let [bytes, size, endSize] = [0, 0, 0];
  stream.on("error", () => undefined);
  stream.on("data", (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
    const part = chunk.subarray(0, Math.max(0, maxBytes + margin - size));
    size += part.length;
    if (part.length > 0) chunks.push(Buffer.from(part));
    // Of a large chunk more is not needed; a copy does not keep the rest of its memory.
    ends.push(Buffer.from(chunk.subarray(-(maxTail + margin))));
    endSize += ends.at(-1)?.length ?? 0;
    while (endSize - (ends[0]?.length ?? 0) >= maxTail + margin) endSize -= ends.shift()?.length ?? 0;
  });
  return () => {
    const clear = redact(Buffer.concat(chunks).toString("utf8"));
    const truncated = bytes > maxBytes;
    // Where not all was kept, what stands at its end may be half of a secret.
    const whole = bytes <= maxBytes + margin ? clear.length : Math.max(0, clear.length - margin);
    const text = truncated ? clear.slice(0, Math.min(maxBytes, whole)) : clear;
    return { text, tail: tailOf(), truncated, bytes, sha256: hash.copy().digest("hex") };
  };

  function tailOf(): string {
    const end = redact(Buffer.concat(ends).toString("utf8"));
    // Where its beginning was cut off, that may be half of a secret or of a character.
    return (bytes > endSize ? end.slice(margin) : end).slice(-maxTail);
  }
}
