import { z } from "zod";
import { featureNameSchema, flagKeySchema } from "../../../packages/sdk/src/wire/flags.ts";
import { budgetIdSchema } from "../../../packages/sdk/src/wire/names.ts";
import {
  agencyValues,
  type CommandJob,
  type CommitJob,
  codeHostSystems,
  dataKinds,
  exposures,
  type Feature,
  type FeatureProbe,
  type FlagReference,
  flagSystems,
  keySystems,
} from "../../core/feature.ts";
import { isTargetUrl } from "./notify-settings.ts";

const maxEntries = 50;

const listOf = <Schema extends z.ZodType>(item: Schema) =>
  z
    .array(item)
    .min(1, "is empty: leave the key out where there is none")
    .max(maxEntries)
    .refine((items) => new Set(items.map((one) => JSON.stringify(one))).size === items.length, "names something twice");

const flag = z.union(
  [
    flagKeySchema.transform((key): FlagReference => ({ system: "runbookd", key })),
    z.strictObject({ system: z.enum(flagSystems).default("runbookd"), key: z.string().min(1).max(200) }),
  ],
  `must be a flag's key, or { system, key } with system ${flagSystems.join(", ")}`,
);

const key = z.strictObject({
  system: z.enum(keySystems),
  id: z.string().regex(/^[\x21-\x7e]{1,200}$/, "must be the id under which its system knows the key, never the key's text"),
});

const path = z
  .string()
  .min(1)
  .max(500)
  .refine((text) => !text.startsWith("/") && !text.split("/").includes(".."), "must be a path below the repository's folder, without ..")
  .refine((text) => !/\p{Cc}/u.test(text), "holds a control character");

const targetUrl = z.string().refine((text) => isTargetUrl(text), "must be an http(s) URL without credentials and fragment");

const probe = z
  .strictObject({
    url: targetUrl,
    method: z.enum(["GET", "POST"]).default("GET"),
    body: z.string().max(8000).exactOptional(),
    refused_by: z
      .array(z.number().int().min(400).max(599))
      .min(1, "is empty: then no answer would ever mean refused")
      .max(10)
      .default([403, 503]),
  })
  .refine(({ method, body }) => body === undefined || method === "POST", "has a body, which only POST sends");

const agency = z.strictObject({
  power: z.enum(agencyValues.power).exactOptional(),
  environment: z.enum(agencyValues.environment).exactOptional(),
  predictability: z.enum(agencyValues.predictability).exactOptional(),
  systemic: z.enum(agencyValues.systemic).exactOptional(),
});

const commandJob = z
  .strictObject({ command: z.string().regex(/^[a-z][a-z0-9-]{0,62}$/) }, "must be { command: <a name under commands> }")
  .transform(({ command }): CommandJob => ({ kind: "command", name: command }));

const commitJob = z.union(
  [
    commandJob,
    z
      .strictObject({ workflow: z.string().regex(/^[\w.-]{1,200}\.ya?ml$/) })
      .transform(({ workflow }): CommitJob => ({ kind: "workflow", file: workflow })),
  ],
  "must be { command: <a name under commands> } or { workflow: <a file in .github/workflows> }",
);

const featureSchema = z.strictObject({
  flags: listOf(flag).optional(),
  budgets: listOf(budgetIdSchema).optional(),
  keys: listOf(key).optional(),
  repository: z
    .string()
    .max(200)
    .regex(/^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})\/[\w.-]{1,100}$/, "must be owner/name")
    .exactOptional(),
  paths: listOf(path).optional(),
  probe: probe.optional(),
  code_host: z.enum(codeHostSystems).exactOptional(),
  tests: commitJob.exactOptional(),
  deployment: commitJob.exactOptional(),
  version_urls: listOf(targetUrl).optional(),
  attacks: commandJob.exactOptional(),
  exposure: z.enum(exposures).exactOptional(),
  data: z.enum(dataKinds).exactOptional(),
  agency: agency.exactOptional(),
});

/** The name under which findings are kept that belong to no feature. */
const reservedName = "unknown";

/** `features` of runbookd.yml: what can be switched off alone, and how. */
export const featuresSchema = z
  .record(z.string(), featureSchema)
  .refine((features) => Object.keys(features).length <= 200, "holds more than 200 features")
  .superRefine((features, context) => {
    for (const name of Object.keys(features)) {
      const message = nameFault(name);
      if (message !== undefined) context.addIssue({ code: "custom", path: [name], message });
    }
  });

function nameFault(name: string): string | undefined {
  if (name === reservedName) return "is the name of what belongs to no feature";
  return featureNameSchema.safeParse(name).success ? undefined : "must be a name of 1 to 60 letters a-z, digits and -";
}

/** The features of proven settings, by name. */
export function featuresOf(settings: z.output<typeof featuresSchema>): readonly Feature[] {
  return Object.entries(settings)
    .map(
      ([
        name,
        { flags = [], budgets = [], keys = [], paths = [], probe: trial, code_host: codeHost, version_urls: versionUrls = [], ...others },
      ]): Feature => ({
        name,
        flags,
        budgets,
        keys,
        paths,
        versionUrls,
        ...others,
        ...(codeHost !== undefined && { codeHost }),
        ...(trial !== undefined && { probe: probeOf(trial) }),
      }),
    )
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function probeOf({ refused_by: refusedBy, ...request }: z.output<typeof probe>): FeatureProbe {
  return { ...request, refusedBy };
}
