import { type AttackDocument, type AttackImportContext, type AttackReading, memberOf, readAttackDraft, textsOf } from "./attack-reading.ts";

/** Seeds of a group that its place names. */
const maxNamed = 10;

/**
 * Reads a dataset of seed prompts of PyRIT (YAML with `seeds`, or `prompts` in older versions). Prompts of one group are the turns of one attack, in the order
 * of their `sequence`; those of one turn are joined. PyRIT judges by models, so that the marks come from the context.
 */
export function readPyrit(document: unknown, context: AttackImportContext): AttackDocument {
  const seeds: unknown = memberOf(document, "seeds") ?? memberOf(document, "prompts");
  if (!Array.isArray(seeds))
    return { kind: "refused", reason: "The document has no list `seeds` or `prompts`. A template with parameters is no attack." };
  const dataset = textsOf([memberOf(document, "dataset_name"), memberOf(document, "name"), "pyrit"])[0] ?? "pyrit";
  const groups = new Map<string, { readonly at: string; readonly seed: unknown }[]>();
  const readings: AttackReading[] = [];
  for (const [index, seed] of seeds.entries()) {
    const at = `seeds[${index}]`;
    const reason = whyNoPrompt(seed);
    if (reason === undefined) {
      const group = groupOf(seed) ?? at;
      const members = groups.get(group) ?? [];
      members.push({ at, seed });
      groups.set(group, members);
    } else readings.push({ kind: "passed_over", at, reason });
  }
  for (const members of groups.values()) readings.push(readGroup(members, { dataset, context }));
  return { kind: "document", readings };
}

function whyNoPrompt(seed: unknown): string | undefined {
  if (memberOf(seed, "is_objective") === true || memberOf(seed, "seed_type") === "objective") return "It is an objective, and not sent.";
  if (memberOf(seed, "seed_type") === "simulated_conversation") return "It is a conversation that a model makes up.";
  const type = memberOf(seed, "data_type") ?? "text";
  if (type !== "text") return "It is not a text.";
  const role = memberOf(seed, "role") ?? "user";
  if (role !== "user") return "It is not said by the user.";
  return undefined;
}

/** PyRIT marks a text that it has fetched as one that is no template. */
function withoutRaw(text: string): string {
  const [begin, end] = ["{% raw %}", "{% endraw %}"];
  const trimmed = text.trim();
  return trimmed.startsWith(begin) && trimmed.endsWith(end) ? trimmed.slice(begin.length, -end.length) : text;
}

function groupOf(seed: unknown): string | undefined {
  const [name] = textsOf(["prompt_group_alias", "prompt_group_id_alias", "prompt_group_id"].map((one) => memberOf(seed, one)));
  return name === undefined ? undefined : `group ${name}`;
}

function readGroup(
  members: readonly { readonly at: string; readonly seed: unknown }[],
  { dataset, context }: { readonly dataset: string; readonly context: AttackImportContext },
): AttackReading {
  const at = members
    .slice(0, maxNamed)
    .map((one) => one.at)
    .join(", ")
    .slice(0, 200);
  const bySequence = new Map<number, string[]>();
  for (const { seed } of members) {
    const sequence = memberOf(seed, "sequence");
    const place = typeof sequence === "number" ? sequence : 0;
    const texts = bySequence.get(place) ?? [];
    texts.push(...textsOf(memberOf(seed, "value")).map((text) => withoutRaw(text)));
    bySequence.set(place, texts);
  }
  const turns = [...bySequence.entries()].toSorted(([a], [b]) => a - b).map(([, texts]) => texts.join("\n"));
  if (turns.some((turn) => /\{\{|\{%/.test(turn))) return { kind: "unreadable", at, reason: "Its text is a template with parameters." };
  return readAttackDraft(at, { name: dataset, turns, success: [] }, context);
}
