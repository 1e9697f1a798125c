import { basename } from "node:path";
import type { Diagnostic } from "../../packages/sdk/src/wire/runbooks.ts";
import { decodeUtf8 } from "../core/decode-utf8.ts";

/** A text with its path. */
export interface TextFile {
  readonly file: string;
  readonly source: string;
  /** Where and why its bytes are no text; `source` is empty then, and nothing may be concluded from it. */
  readonly fault?: Diagnostic;
}

/** The text of a file that people wrote; a byte order mark stays, so that offsets and hashes are those of the file. */
export function decodeTextFile(file: string, bytes: Uint8Array): TextFile {
  const decoded = decodeUtf8(bytes, { keepMark: true });
  if (decoded.ok) return { file, source: decoded.text };
  const { line, column, message } = decoded;
  const position = { line, column };
  return { file, source: "", fault: { severity: "error", rule: "encoding", file, position, message, accepted: "a text in UTF-8" } };
}

/** Whether a path of a runbook folder names a runbook: it ends in `.md`, and is no index of the folder in any spelling. */
export function isRunbookFile(path: string): boolean {
  return path.endsWith(".md") && basename(path).toLowerCase() !== "readme.md";
}

/** Whether an entry of a runbook folder is passed over with everything below it. */
export function isPassedOver(name: string): boolean {
  return name.startsWith(".") || name === "node_modules";
}
