import { hash } from "node:crypto";
import type { Json } from "../../packages/sdk/src/wire/json.ts";

/** Whether a value is a map and no list. */
export function isJsonObject(value: Json): value is { readonly [key: string]: Json } {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

/** Hex SHA-256 of a text's UTF-8 bytes. */
export function sha256(text: string | Uint8Array): string {
  return hash("sha256", text);
}
