import type { z } from "zod";
import type { ProviderResult } from "./provider-batch.ts";

/** One line of a provider's results in its own shape, read on by `read`; unreadable when it is of no such shape. `line` counts from 1. */
export function readResultLine<Line>(
  { text, line }: { readonly text: string; readonly line: number },
  shape: z.ZodType<Line>,
  read: (result: Line) => ProviderResult,
): ProviderResult {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { kind: "unreadable", line, detail: "no JSON" };
  }
  const parsed = shape.safeParse(json);
  return parsed.success ? read(parsed.data) : { kind: "unreadable", line, detail: "no result of a batch" };
}
