import { z } from "zod";
import { defaultLimits } from "../../core/limits.ts";
import { functionNames } from "../../runbooks/expressions/cel-environment.ts";
import { alertFields, maxExpressionLength, runFields } from "../../runbooks/expressions/check-expression.ts";
import { canonicalHeadings, headingAliases } from "../../runbooks/parse/document.ts";
import { runbookFrontMatterSchema } from "../../runbooks/parse/front-matter.ts";
import { type LabelKind, labelNames, wordings } from "../../runbooks/parse/label.ts";
import { maxDocumentBytes } from "../../runbooks/parse/parse-runbook.ts";
import { maxSteps } from "../../runbooks/parse/procedure.ts";

/** The tables of docs/runbook-format.md that follow from the code, by the name of their place in the page. */
export function runbookFormatParts(): Readonly<Record<string, string>> {
  const { properties } = jsonSchemaOf(runbookFrontMatterSchema);
  const param = propertySchema.parse(properties["params"]?.["additionalProperties"]);
  return {
    "front-matter": keysTable(properties),
    params: keysTable(param.properties ?? {}),
    limits: table(
      ["limit", "default"],
      Object.entries(defaultLimits).map(([name, value]) => [code(name), String(value)]),
    ),
    sections: table(["section", "also read", "holds"], canonicalHeadings.map(sectionRow)),
    labels: table(["label", "also read", "value", "without it"], labelKinds.map(labelRow)),
    names: table(
      ["name", "fields"],
      [
        ["`alert`", alertFields.map(code).join(", ")],
        ["`run`", runFields.map(code).join(", ")],
      ],
    ),
    functions: `Functions and macros: ${functionNames().map(code).join(", ")}.`,
    sizes: table(
      ["what", "at most"],
      [
        ["file", `${maxDocumentBytes / 1024} KiB`],
        ["steps", String(maxSteps)],
        ["expression", `${maxExpressionLength} characters`],
      ],
    ),
  };
}

const propertySchema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  format: z.string().optional(),
  description: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  anyOf: z.array(z.looseObject({ type: z.string().optional() })).optional(),
  properties: z.record(z.string(), z.looseObject({})).optional(),
  additionalProperties: z.unknown().optional(),
});
type Properties = NonNullable<z.output<typeof propertySchema>["properties"]>;

function jsonSchemaOf(schema: z.ZodType): { readonly properties: Properties } {
  return z
    .looseObject({ properties: z.record(z.string(), z.looseObject({})) })
    .parse(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));
}

function keysTable(properties: Properties): string {
  return table(
    ["key", "type", "meaning"],
    Object.entries(properties).map(([name, property]) => {
      const { type, format, description, enum: values, anyOf } = propertySchema.parse(property);
      const alternatives = anyOf?.flatMap((one) => one.type ?? []).join(" or ");
      return [
        code(name),
        values?.map(String).map(code).join(", ") ?? format ?? ([type].flat().join(" or ") || alternatives || "any"),
        description ?? "",
      ];
    }),
  );
}

const sectionContents: Readonly<Record<(typeof canonicalHeadings)[number], string>> = {
  Scenario: "required: what has happened, as prose",
  Symptoms: "prose",
  Prerequisites: "checks before the first step",
  Procedure: "required: the steps",
  Verification: "checks after the last step",
  "Post-Action": "actions and notes after the Verification",
  Related: "prose and links",
};

function sectionRow(heading: (typeof canonicalHeadings)[number]): readonly string[] {
  const others = Object.entries(headingAliases).filter(([, meant]) => meant === heading);
  return [code(`## ${heading}`), others.map(([name]) => code(name)).join(", "), sectionContents[heading]];
}

const labelKinds: readonly LabelKind[] = ["action", "when", "expected", "failure", "undo", "approval", "timeout"];

const labelValues: Readonly<Record<LabelKind, readonly [value: string, without: string]>> = {
  action: ["an action in backticks, and its parameters in a `yaml` fence below", "a manual step: the run waits for a person"],
  when: ["an expression in backticks", "the step always runs"],
  expected: ["an expression in backticks, and optionally `within D`", "the action's own success"],
  failure: ["a policy, then a full stop before any text for people", "`stop`"],
  undo: ["an action in backticks, and its parameters in a `yaml` fence below", "the action's own undo, if it has one"],
  approval: ["`ROLE [of N] [within D] [unless EXPRESSION]`", "as `mode` says"],
  timeout: ["a duration", "the action's own limit"],
};

function labelRow(kind: LabelKind): readonly string[] {
  const name = labelNames[kind];
  const others = Object.entries(wordings).filter(([wording, meant]) => meant === kind && wording !== name.toLowerCase());
  return [code(name), others.map(([wording]) => code(wording)).join(", "), ...labelValues[kind]];
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}
