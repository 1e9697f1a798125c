import { maxOutputLength } from "../../../packages/sdk/src/wire/outputs.ts";

/** A secret within a text, by its place; what it says is not repeated. */
export interface LocatedSecret {
  /** What sort of secret, as the scanner names it. */
  readonly type: string;
  /** Index of its first UTF-16 code unit, and of the one after its last. */
  readonly start: number;
  readonly end: number;
}

/** `unscanned`: the text was not looked at to its end, which never means that there is no secret. `reason` is a sentence without its full stop. */
export type SecretScan =
  | { readonly kind: "scanned"; readonly secrets: readonly LocatedSecret[] }
  | { readonly kind: "unscanned"; readonly reason: string };

/** Finds secrets by their shape, in bounded time. Does not reject. */
export interface SecretScanner {
  scan(text: string): Promise<SecretScan>;
}

/** Longest text that is scanned, in UTF-16 code units. */
export const maxScannedLength = maxOutputLength;
