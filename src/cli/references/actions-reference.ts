import { z } from "zod";
import type { Effect } from "../../../packages/sdk/src/wire/plans.ts";
import type { ActionCatalogue, ActionSpec } from "../../core/action.ts";

const effectMeanings: Readonly<Record<Effect, string>> = {
  read: "reads; runs again after a crash",
  set: "sets a value; after a crash the value is read and set again only if it differs",
  keyed: "carries an idempotency key; after a crash it is sent again with the same key",
  probed: "after a crash the target is asked whether it happened",
  once: "never repeated automatically; after a crash a person says what happened",
};

/** The catalogue of actions as a document for authors of runbooks. */
export function renderActionsReference(catalogue: ActionCatalogue): string {
  const specs = catalogue.names.flatMap((name) => catalogue.find(name) ?? []);
  return `# Actions

Generated from the registry by \`npm run docs\`. A step names one of these: \`\`- Action: \`${specs[0]?.name ?? ""}\` \`\` and gives its parameters in a \`yaml\` fence below it.
\`Expected\` may read the fields of the result; \`within\` needs an action that can be probed.

Effects: ${Object.entries(effectMeanings)
    .map(([effect, meaning]) => `\`${effect}\` ${meaning}`)
    .join("; ")}.

${specs.map(renderAction).join("\n")}`;
}

const unlessSaid: Readonly<Record<string, string>> = {
  "http-request": " unless its parameters say otherwise",
  "run-command": " unless its template says otherwise",
};

function renderAction(spec: ActionSpec): string {
  const parameters = parameterRows(spec).map(
    ([name, type, required, meaning]) => `| \`${name}\` | ${type} | ${required ? "yes" : "no"} | ${meaning} |`,
  );
  const result = Object.entries(spec.result).map(([field, meaning]) => `| \`${field}\` | ${escapeCell(meaning)} |`);
  return `## ${spec.name}

${spec.summary}

Effect \`${spec.effectOf({})}\`${unlessSaid[spec.name] ?? ""}, risk \`${spec.risk}\`, ${spec.probes ? "can be probed" : "cannot be probed"}, ${spec.undoes ? "undoes itself" : "has no undo of its own"}.

${parameters.length === 0 ? "No parameters.\n" : `| parameter | type | required | meaning |\n|---|---|---|---|\n${parameters.join("\n")}\n`}
${result.length === 0 ? "No result.\n" : `| result | meaning |\n|---|---|\n${result.join("\n")}\n`}`;
}

const propertySchema = z.looseObject({
  type: z.string().optional(),
  description: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.looseObject({ type: z.string().optional() })).optional(),
  default: z.unknown().optional(),
});
const parametersSchema = z.looseObject({
  properties: z.record(z.string(), propertySchema).optional(),
  required: z.array(z.string()).optional(),
});

function parameterRows(spec: ActionSpec): readonly (readonly [string, string, boolean, string])[] {
  const schema = parametersSchema.parse(z.toJSONSchema(spec.parameters, { io: "input", unrepresentable: "any" }));
  return Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const type =
      property.enum?.map(String).join(", ") ?? property.type ?? property.anyOf?.flatMap((part) => part.type ?? []).join(" or ") ?? "any";
    const byDefault = property.default === undefined ? "" : ` Default \`${JSON.stringify(property.default)}\`.`;
    return [name, type, schema.required?.includes(name) === true, escapeCell(`${property.description ?? ""}${byDefault}`)];
  });
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|").trim();
}
