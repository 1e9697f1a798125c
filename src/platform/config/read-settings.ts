import { parseDocument } from "yaml";
import type { ConfigFault } from "./config-fault.ts";
import { acceptedFor, environmentKeys, type Settings, secretKeys, settingsSchema } from "./settings-schema.ts";

/** Where settings come from. */
export interface ConfigSources {
  readonly env: { readonly [name: string]: string | undefined };
  /** Text of runbookd.yml, when there is one. */
  readonly yaml?: string;
  /** Reads the file of a `*_FILE` setting; throws when it cannot. */
  readFile(path: string): string;
}

const maxYamlCharacters = 262_144;

/** The settings of the environment and of runbookd.yml, each proven; undefined, and `faults` grow, when one is refused. */
export function readSettings(sources: ConfigSources, faults: ConfigFault[]): Settings | undefined {
  const fromYaml = sources.yaml === undefined ? {} : readYaml(sources.yaml, faults);
  const { values, fromEnvironment } = readEnvironment(sources, faults);
  const merged = { ...readSecretFiles({ values: fromYaml, source: "runbookd.yml" }, sources, faults), ...values };
  const parsed = settingsSchema.safeParse(merged);
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) {
    const place = issue.path.slice(1).join(".");
    const at = place === "" ? "" : `(at ${place}) `;
    const [first] = issue.path;
    const refuse = (key: string, problem: string) =>
      faults.push({ key, source: fromEnvironment.has(key) ? "environment" : "runbookd.yml", problem, accepted: acceptedFor(key) });
    if (issue.code !== "unrecognized_keys") refuse(String(first ?? "runbookd.yml"), `${at}${issue.message}`);
    else if (first === undefined) for (const key of issue.keys) refuse(key, "is not a setting");
    else refuse(String(first), `${at}has unknown keys: ${issue.keys.join(", ")}`);
  }
  return undefined;
}

type Values = { readonly [key: string]: unknown };

function readYaml(text: string, faults: ConfigFault[]): Values {
  const refuse = (problem: string): Values => {
    faults.push({ key: "runbookd.yml", source: "runbookd.yml", problem, accepted: "one YAML mapping of settings, at most 256 kB" });
    return {};
  };
  if (text.length > maxYamlCharacters) return refuse("is too large");
  const document = parseDocument(text, { merge: false, uniqueKeys: true, version: "1.2", schema: "core" });
  const [error] = document.errors;
  if (error !== undefined) return refuse(`is no YAML: ${error.message.split("\n")[0] ?? ""}`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 20 });
  } catch {
    return refuse("uses too many aliases");
  }
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) return refuse("must be a mapping");
  const isFlat = (key: string, field: unknown) =>
    environmentKeys.includes(key.replace(/_FILE$/, "")) && ["number", "boolean"].includes(typeof field);
  return Object.fromEntries(
    Object.entries(value).map(([key, field]): [string, unknown] => [key, isFlat(key, field) ? String(field) : field]),
  );
}

function readEnvironment(
  { env, ...sources }: ConfigSources,
  faults: ConfigFault[],
): { readonly values: Values; readonly fromEnvironment: ReadonlySet<string> } {
  const named = [...environmentKeys, ...secretKeys.map((key) => `${key}_FILE`)];
  // An empty variable is one that is not set: compose files and units write it so.
  const given = Object.fromEntries(named.map((key) => [key, env[key]] as const).filter(([, value]) => value !== undefined && value !== ""));
  const values = readSecretFiles({ values: given, source: "environment" }, { readFile: (path) => sources.readFile(path) }, faults);
  return { values, fromEnvironment: new Set(Object.keys(values)) };
}

interface WrittenValues {
  readonly values: Values;
  readonly source: ConfigFault["source"];
}

/** `X_FILE` becomes `X` with the file's text; both at once is a fault. */
function readSecretFiles({ values, source }: WrittenValues, sources: Pick<ConfigSources, "readFile">, faults: ConfigFault[]): Values {
  const read: { [key: string]: unknown } = { ...values };
  for (const key of secretKeys) {
    const fileKey = `${key}_FILE`;
    const path = read[fileKey];
    delete read[fileKey];
    if (path === undefined) continue;
    const refuse = (problem: string) =>
      faults.push({ key: fileKey, source, problem, accepted: `a readable file that holds ${key}, alone` });
    if (read[key] !== undefined) refuse(`is set beside ${key}`);
    else if (typeof path !== "string") refuse("must be a path");
    else {
      const text = readText(path, sources);
      if (text === undefined || text === "") refuse(text === "" ? "names an empty file" : "names a file that cannot be read");
      else read[key] = text;
    }
  }
  return read;
}

/** The text of the file of a secret, without white space around it; undefined when it cannot be read. */
export function readText(path: string, sources: Pick<ConfigSources, "readFile">): string | undefined {
  try {
    return sources.readFile(path).trim();
  } catch {
    return undefined;
  }
}
