import type { IncomingMessage } from "node:http";
import type { Problem } from "../../../packages/sdk/src/wire/problems.ts";
import { faultOfContentType, parseJson } from "./json-body.ts";
import { aProblem } from "./problem.ts";

/** Judges a body from its bytes as they were sent. */
export interface BodyVerifier {
  update(chunk: Uint8Array): void;
  /** Called once, after the last byte. */
  isAuthentic(): boolean;
}

/** What was read. `long`: authentic, and longer than what is kept. */
export type VerifiedBody =
  | { readonly kind: "json"; readonly value: unknown }
  | { readonly kind: "long" }
  | { readonly kind: "forged" }
  | { readonly kind: "problem"; readonly problem: Problem };

/** Sizes of a body that is verified. */
export interface VerifiedLimits {
  /** More is not read. */
  readonly limitBytes: number;
  /** A longer body is verified and not kept: nobody may fill the memory by what is not yet known to be authentic. */
  readonly keptBytes: number;
}

/** Reads a body whose authenticity its bytes prove: verified first, parsed afterwards. Compression is not accepted, as it is the sent bytes that are signed. */
export async function readVerifiedBody(
  request: IncomingMessage,
  verifier: BodyVerifier,
  { limitBytes, keptBytes }: VerifiedLimits,
): Promise<VerifiedBody> {
  const typeFault = faultOfContentType(request.headers["content-type"]);
  if (typeFault !== undefined) return refuse("unsupported-media-type", typeFault);
  if ((request.headers["content-encoding"] ?? "identity") !== "identity")
    return refuse("unsupported-media-type", "The content-encoding is not accepted; send identity.");
  let kept: Buffer[] | undefined = [];
  let length = 0;
  const end = await new Promise<"end" | "broken" | "long">((resolve) => {
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > limitBytes) return resolve("long");
      verifier.update(chunk);
      if (length > keptBytes) kept = undefined;
      kept?.push(chunk);
    });
    request.once("end", () => resolve("end"));
    request.once("error", () => resolve("broken"));
    request.once("close", () => resolve(request.readableEnded ? "end" : "broken"));
  });
  if (end === "long") return refuse("body-too-large", `The body is larger than ${limitBytes} bytes.`);
  if (end === "broken") return refuse("malformed-body", "The body broke off.");
  if (!verifier.isAuthentic()) return { kind: "forged" };
  if (kept === undefined) return { kind: "long" };
  const body = parseJson(Buffer.concat(kept));
  return body.ok ? { kind: "json", value: body.value } : { kind: "problem", problem: body.problem };
}

function refuse(name: Parameters<typeof aProblem>[0], detail: string): VerifiedBody {
  return { kind: "problem", problem: aProblem(name, detail) };
}
