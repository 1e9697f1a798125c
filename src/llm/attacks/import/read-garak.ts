import { type AttackDocument, type AttackImportContext, type AttackReading, memberOf, readAttackDraft, textsOf } from "./attack-reading.ts";

/**
 * Reads a hit log of garak (`*.hitlog.jsonl`): one line for each answer that a detector took for a success. The prompt is a text in older versions and a
 * conversation in newer ones; `triggers` are what the detector looked for in the answer.
 */
export function readGarak(text: string, context: AttackImportContext): AttackDocument {
  const readings: AttackReading[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const at = `line ${index + 1}`;
    const entry = parseLine(line);
    readings.push(
      entry === undefined ? { kind: "unreadable", at, reason: "The line is not one JSON document." } : readHit(at, entry, context),
    );
  }
  return readings.some(({ kind }) => kind !== "unreadable") || readings.length === 0
    ? { kind: "document", readings }
    : {
        kind: "refused",
        reason: `No line is a hit of garak. The first one: ${readings[0]?.kind === "unreadable" ? readings[0].reason : ""}`,
      };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

function readHit(at: string, entry: unknown, context: AttackImportContext): AttackReading {
  const prompt: unknown = memberOf(entry, "prompt");
  const turns = turnsOf(prompt);
  if (turns.length === 0) return { kind: "unreadable", at, reason: "It has no prompt that is a text." };
  const triggers = [...new Set(["triggers", "trigger"].flatMap((name) => textsOf(memberOf(entry, name))))];
  const probe = textsOf(memberOf(entry, "probe"))[0] ?? "garak";
  return readAttackDraft(at, { name: probe, turns, success: triggers.slice(0, 20).map((contains) => ({ contains })) }, context);
}

/** What the user says; what the system or an assistant says is the application's own. */
function turnsOf(prompt: unknown): readonly string[] {
  const direct = textsOf(prompt);
  if (direct.length > 0) return direct;
  const turns: unknown = memberOf(prompt, "turns");
  if (!Array.isArray(turns)) return textsOf(memberOf(prompt, "text"));
  return turns
    .filter((turn: unknown) => (memberOf(turn, "role") ?? "user") === "user")
    .flatMap((turn: unknown) => textsOf(memberOf(turn, "content", "text") ?? memberOf(turn, "content")));
}
