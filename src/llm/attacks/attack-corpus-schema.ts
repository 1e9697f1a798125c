import { z } from "zod";

/** Bounds of a corpus. The product of the last two keeps the time of one regular expression below half a second. */
export const corpusLimits = {
  fileBytes: 4 * 1024 * 1024,
  attacks: 2000,
  harmless: 1000,
  variants: 100,
  turns: 20,
  turnCharacters: 20_000,
  patternInstructions: 500,
  textCharacters: 20_000,
} as const;

const idSchema = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/, "must be an id of 1 to 100 letters a-z, digits and . _ -");
const text = z.string().min(1, "is empty: an empty text is in every answer").max(500);
const patternText = z.string().min(1, "is empty: an empty pattern matches every answer").max(1000);
const toolName = z.string().regex(/^[\w.:/-]{1,100}$/, "must be the name of one tool");

const markSchema = z.union(
  [
    z.strictObject({ contains: text }),
    z.strictObject({ regex: patternText }),
    z.strictObject({ tool_called: toolName, arguments: patternText.exactOptional() }),
    z.strictObject({ honeytoken: z.literal(true) }),
  ],
  "must be one of { contains: … }, { regex: … }, { tool_called: …, arguments: … }, { honeytoken: true }",
);

/** See {@link markSchema}; as it is written. */
export type WrittenMark = z.output<typeof markSchema>;

const marks = z.union(
  [markSchema.transform((one) => [one]), z.array(markSchema).min(1, "is empty: name at least one mark").max(20)],
  "must be one mark, or a list of 1 to 20; a mark is { contains: … }, { regex: … }, { tool_called: …, arguments: … } or { honeytoken: true }",
);

const turns = z
  .array(z.string().min(1, "is empty").max(corpusLimits.turnCharacters))
  .min(1, "is empty: name at least one turn")
  .max(corpusLimits.turns);

/** An attack as it is written. */
export const attackSchema = z.strictObject({
  id: idSchema,
  owasp: z
    .array(z.string().regex(/^(?:LLM|ASI|AST)\d{2}:\d{4}$/, "must be an id of OWASP with its edition, e.g. LLM01:2025"))
    .max(20)
    .default([]),
  turns,
  variants: z.array(turns).max(corpusLimits.variants).default([]),
  success: marks,
});

/** A harmless request as it is written. */
export const harmlessSchema = z.strictObject({ id: idSchema, turns, expected: marks });

/** A corpus as it is written in `security/attacks/<feature>.yml`; see docs/attacks.md. */
export const corpusSchema = z.strictObject({
  attacks: z.array(attackSchema).min(1, "is empty: without an attack nothing can be shown").max(corpusLimits.attacks),
  harmless: z.array(harmlessSchema).max(corpusLimits.harmless).default([]),
});
