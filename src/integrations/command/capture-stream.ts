import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { CommandStream } from "../../actions/command-runner.ts";

/** Kept beyond the limit, so that a secret on the limit is still whole when secrets are replaced; cut afterwards. */
const margin = 4096;

/** Reads a stream to its end, keeps its beginning, hashes all of it. */
export function captureStream(stream: Readable, maxBytes: number, redact: (text: string) => string): () => CommandStream {
  const hash = createHash("sha256");
  const chunks: Buffer[] = [];
  let [bytes, size] = [0, 0];
  stream.on("error", () => undefined);
  stream.on("data", (chunk: Buffer) => {
    hash.update(chunk);
    bytes += chunk.length;
    const part = chunk.subarray(0, Math.max(0, maxBytes + margin - size));
    size += part.length;
    if (part.length > 0) chunks.push(Buffer.from(part));
  });
  return () => {
    const clear = redact(Buffer.concat(chunks).toString("utf8"));
    const truncated = bytes > maxBytes;
    // Where not all was kept, what stands at its end may be half of a secret.
    const whole = bytes <= maxBytes + margin ? clear.length : Math.max(0, clear.length - margin);
    const text = truncated ? clear.slice(0, Math.min(maxBytes, whole)) : clear;
    return { text, truncated, bytes, sha256: hash.copy().digest("hex") };
  };
}
