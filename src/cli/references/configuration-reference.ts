import { z } from "zod";
import { environmentKeys, secretKeys, settingsSchema } from "../../platform/config/settings-schema.ts";

const fieldSchema = z.looseObject({ description: z.string().optional(), accepted: z.string().optional() });

/** Every setting as a document. */
export function renderConfigurationReference(): string {
  const schema = z
    .looseObject({ properties: z.record(z.string(), fieldSchema) })
    .parse(z.toJSONSchema(settingsSchema, { io: "input", unrepresentable: "any" }));
  // Parsed, because the JSON Schema of a text that becomes a number has no default.
  const defaults = new Map<string, unknown>(Object.entries(settingsSchema.parse({})));
  const rows = Object.entries(schema.properties).map(([name, field]) => ({
    name,
    row: `| \`${name}\` | ${cell(field.description)} | ${cell(field.accepted)} | ${defaults.get(name) === undefined ? "" : `\`${String(defaults.get(name))}\``} |`,
  }));
  const flat = rows.filter(({ name }) => environmentKeys.includes(name)).map(({ row }) => row);
  const structured = rows.filter(({ name }) => !environmentKeys.includes(name)).map(({ row }) => row);
  return `# Settings

Generated from the schema by \`npm run docs\`. \`npx runbookd schema config\` prints it as JSON Schema.

Settings come from the environment, or from \`runbookd.yml\` in the working directory; the environment wins. Faults are all printed at once and the process exits 78.
Secrets may come from a file: ${secretKeys.map((key) => `\`${key}_FILE\``).join(", ")}.

## Environment or runbookd.yml

${table(flat)}
## runbookd.yml only

${table(structured)}`;
}

function table(rows: readonly string[]): string {
  return `| setting | meaning | accepted | default |\n|---|---|---|---|\n${rows.join("\n")}\n`;
}

function cell(text: string | undefined): string {
  return (text ?? "").replaceAll("|", "\\|");
}
