import { z } from "zod";
import { actionCatalogue } from "../../app/action-registry.ts";
import { oneLine } from "../../core/one-line.ts";
import { configJsonSchema } from "../../platform/config/settings-schema.ts";
import { runbookFrontMatterSchema } from "../../runbooks/parse/front-matter.ts";
import { exitCodes } from "../context.ts";
import { type CommandBody, flagOption } from "../define-command.ts";

/** `runbookd schema`: JSON Schemas for editors and other tools. */
export const schemaCommand: CommandBody = {
  examples: ["runbookd schema config > runbookd.schema.json"],
  run([what = "runbook"], invocation) {
    const { context } = invocation;
    const create = schemas.get(what);
    if (create === undefined) {
      context.warn(`${oneLine(what)} has no schema; accepted: ${[...schemas.keys()].join(", ")}\n`);
      return Promise.resolve(exitCodes.usage);
    }
    context.write(`${flagOption(invocation, "json") ? JSON.stringify(create()) : JSON.stringify(create(), undefined, 2)}\n`);
    return Promise.resolve(exitCodes.ok);
  },
};

const schemas: ReadonlyMap<string, () => object> = new Map([
  ["runbook", () => z.toJSONSchema(runbookFrontMatterSchema, { io: "input", unrepresentable: "any" })],
  ["actions", actionsSchema],
  ["config", configJsonSchema],
]);

function actionsSchema(): object {
  const properties = actionCatalogue.names.flatMap((name) => {
    const spec = actionCatalogue.find(name);
    if (spec === undefined) return [];
    const parameters = z.toJSONSchema(spec.parameters, { io: "input", unrepresentable: "any" });
    return [[name, { description: spec.summary, ...parameters }] as const];
  });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Parameters by action",
    type: "object",
    properties: Object.fromEntries(properties),
  };
}
