import type { Json } from "../../../packages/sdk/src/wire/json.ts";

/** Data as CEL sees it: safe integers are ints, other numbers doubles. */
export type CelValue = null | boolean | number | bigint | string | readonly CelValue[] | { readonly [key: string]: CelValue };

const maxText = 65_536;
const maxItems = 1000;

/** Undefined for what must count as missing: null, numbers that are not finite, texts and lists out of bounds. */
export function toCel(value: unknown): CelValue | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value === "string") return value.length <= maxText ? value : undefined;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return undefined;
    return Number.isSafeInteger(value) ? BigInt(value) : value;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) {
    if (value.length > maxItems) return undefined;
    const items = value.map((item: unknown) => toCel(item));
    return items.every((item) => item !== undefined) ? items : undefined;
  }
  const fields = Object.entries(value).flatMap(([key, field]): [string, CelValue][] => {
    const converted = toCel(field);
    return converted === undefined ? [] : [[key, converted]];
  });
  return Object.fromEntries(fields);
}

/** Data of a result; undefined for what JSON cannot hold. */
export function toJson(value: unknown): Json | undefined {
  if (value === null || typeof value === "boolean" || typeof value === "string") return value;
  if (typeof value === "bigint") {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : undefined;
  }
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (Array.isArray(value)) {
    const items = value.map((item: unknown) => toJson(item));
    return items.every((item) => item !== undefined) ? items : undefined;
  }
  if (typeof value !== "object") return undefined;
  const entries: [unknown, unknown][] =
    value instanceof Map
      ? [...(value as Map<unknown, unknown>)]
      : Object.getPrototypeOf(value) === Object.prototype
        ? Object.entries(value)
        : [];
  if (entries.length === 0 && !(value instanceof Map) && Object.getPrototypeOf(value) !== Object.prototype) return undefined;
  const fields: [string, Json][] = [];
  for (const [key, field] of entries) {
    const converted = toJson(field);
    if (converted === undefined) return undefined;
    fields.push([String(key), converted]);
  }
  return Object.fromEntries(fields);
}
