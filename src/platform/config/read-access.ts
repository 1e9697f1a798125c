import { gitHubAlertKinds } from "../../core/github-alert-kinds.ts";
import type { Config, Endpoint } from "./config.ts";
import type { ConfigFault } from "./config-fault.ts";
import { type ConfigSources, readText } from "./read-settings.ts";
import { acceptedFor, type Settings } from "./settings-schema.ts";

/** Langfuse and its keys, all three or none: a store of prompts that is configured by half would be one that nobody meant. */
export function readLangfuse(
  { LANGFUSE_URL: url, LANGFUSE_PUBLIC_KEY: publicKey, LANGFUSE_SECRET_KEY: secretKey, LANGFUSE_WEBHOOK_SECRET: webhookSecret }: Settings,
  faults: ConfigFault[],
): { readonly endpoint: Config["langfuse"]; readonly secrets: readonly string[] } {
  const secrets = [secretKey, webhookSecret].filter((secret) => secret !== undefined);
  allOrNone("Langfuse", { LANGFUSE_URL: url, LANGFUSE_PUBLIC_KEY: publicKey, LANGFUSE_SECRET_KEY: secretKey }, faults);
  if (url === undefined || publicKey === undefined || secretKey === undefined) return { endpoint: undefined, secrets };
  const basic = Buffer.from(`${publicKey}:${secretKey}`).toString("base64");
  return { endpoint: { url, headers: { authorization: `Basic ${basic}` } }, secrets: [...secrets, basic] };
}

/**
 * GitHub as a source of findings. A token without repositories is none of our business: many environments hold one. Repositories without a token are a fault,
 * because nothing of them could be read.
 */
export function readGitHub(
  { GITHUB_TOKEN: token, GITHUB_API_URL: apiUrl, GITHUB_WEBHOOK_SECRET: webhookSecrets = [], github }: Settings,
  faults: ConfigFault[],
): { readonly settings: Config["gitHub"]; readonly webhookSecrets: readonly string[]; readonly secrets: readonly string[] } {
  const secrets = [...webhookSecrets, ...(token === undefined ? [] : [token])];
  if (github !== undefined && token === undefined)
    faults.push({
      key: "GITHUB_TOKEN",
      source: "together",
      problem: "is missing while github names repositories",
      accepted: acceptedFor("GITHUB_TOKEN"),
    });
  if (github === undefined || token === undefined) return { settings: undefined, webhookSecrets, secrets };
  const { repositories, alerts = gitHubAlertKinds } = github;
  return { settings: { apiUrl, token, repositories, alerts }, webhookSecrets, secrets };
}

/** A system that is configured by half would be one that nobody meant: what is missing beside the rest is a fault. */
function allOrNone(system: string, given: { readonly [key: string]: unknown }, faults: ConfigFault[]): void {
  const missing = Object.entries(given).flatMap(([key, value]) => (value === undefined ? [key] : []));
  if (missing.length === Object.keys(given).length) return;
  for (const key of missing)
    faults.push({ key, source: "together", problem: `is missing beside the other settings of ${system}`, accepted: acceptedFor(key) });
}

/** The systems that keep flags and keys, with what of them is secret. */
export interface SwitchedSystems extends Pick<Config, "unleash" | "flagd" | "litellm"> {
  readonly secrets: readonly string[];
}

/** Unleash, flagd and LiteLLM, each with all of its settings or none. */
export function readSwitchedSystems(settings: Settings, faults: ConfigFault[]): SwitchedSystems {
  const { UNLEASH_URL: url, UNLEASH_ADMIN_TOKEN: adminToken, UNLEASH_FRONTEND_TOKEN: frontendToken, unleash } = settings;
  const { FLAGD_FILE: file, FLAGD_URL: flagdUrl, LITELLM_URL: litellmUrl, LITELLM_MASTER_KEY: masterKey } = settings;
  allOrNone("Unleash", { UNLEASH_URL: url, UNLEASH_ADMIN_TOKEN: adminToken, UNLEASH_FRONTEND_TOKEN: frontendToken, unleash }, faults);
  allOrNone("flagd", { FLAGD_FILE: file, FLAGD_URL: flagdUrl }, faults);
  allOrNone("LiteLLM", { LITELLM_URL: litellmUrl, LITELLM_MASTER_KEY: masterKey }, faults);
  // A token begins with its project and its environment; of another one it would show what other applications get.
  const environment = /^[^:]*:([^.]+)\../.exec(frontendToken ?? "")?.[1];
  if (environment !== undefined && unleash !== undefined && environment !== unleash.environment) {
    const problem = "is of another environment than unleash.environment in runbookd.yml";
    faults.push({ key: "UNLEASH_FRONTEND_TOKEN", source: "together", problem, accepted: "a frontend token of that environment" });
  }
  const hasUnleash = url !== undefined && adminToken !== undefined && frontendToken !== undefined && unleash !== undefined;
  return {
    unleash: hasUnleash ? { url, adminToken, frontendToken, ...unleash } : undefined,
    flagd: file === undefined || flagdUrl === undefined ? undefined : { file, url: flagdUrl },
    litellm: litellmUrl === undefined || masterKey === undefined ? undefined : { url: litellmUrl, masterKey },
    secrets: [adminToken, frontendToken, masterKey].filter((secret) => secret !== undefined),
  };
}

/** How a system is reached, and what of it is secret. */
export type Access = { readonly access: Omit<Endpoint, "url">; readonly secrets: readonly string[] };

/** A section of runbookd.yml that says how a system is reached. */
export interface AccessSection {
  readonly key: "prometheus" | "alertmanager" | "evaluator" | "prompt_evaluator";
  readonly given: Settings["prometheus"];
}

/** The application's evaluator, under its own name or the old one; both at once are refused, as one of them would be forgotten. */
export function readEvaluator(settings: Settings, sources: ConfigSources, faults: ConfigFault[]) {
  const { EVALUATOR_URL: current, PROMPT_EVALUATOR_URL: old, evaluator, prompt_evaluator: oldSection } = settings;
  const refuse = (key: string, name: string) =>
    faults.push({ key, source: "together", problem: `is the old name of ${name}, which is set too`, accepted: `${name} alone` });
  if (current !== undefined && old !== undefined) refuse("PROMPT_EVALUATOR_URL", "EVALUATOR_URL");
  if (evaluator !== undefined && oldSection !== undefined) refuse("prompt_evaluator", "evaluator");
  const section: AccessSection =
    evaluator === undefined ? { key: "prompt_evaluator", given: oldSection } : { key: "evaluator", given: evaluator };
  const { access, secrets } = readAccess(section, sources, faults);
  const url = current ?? old;
  return { endpoint: url === undefined ? undefined : { url, ...access }, secrets };
}

/** Credentials and headers of one system, from its section of runbookd.yml and from the files that it names. */
export function readAccess({ key, given }: AccessSection, sources: ConfigSources, faults: ConfigFault[]): Access {
  const { headers = {}, bearer_token_file: tokenFile, username, password_file: passwordFile, ca_file: caFile } = given ?? {};
  const refuse = (problem: string) => faults.push({ key, source: "runbookd.yml", problem, accepted: acceptedFor(key) });
  const read = (name: string, path: string | undefined): string | undefined => {
    const text = path === undefined ? undefined : readText(path, sources);
    if (path !== undefined && (text === undefined || text === "")) refuse(`(at ${name}) names a file that is empty or cannot be read`);
    return text;
  };
  const token = read("bearer_token_file", tokenFile);
  const password = read("password_file", passwordFile);
  const ca = read("ca_file", caFile);
  if ((username === undefined) !== (passwordFile === undefined)) refuse("has one of username and password_file without the other");
  if (tokenFile !== undefined && username !== undefined) refuse("has two credentials");
  const basic = username === undefined || password === undefined ? undefined : Buffer.from(`${username}:${password}`).toString("base64");
  const authorization = token === undefined ? (basic === undefined ? undefined : `Basic ${basic}`) : `Bearer ${token}`;
  return {
    access: { headers: authorization === undefined ? headers : { ...headers, authorization }, ca },
    secrets: [...Object.values(headers), ...[token, password, basic].filter((secret) => secret !== undefined)],
  };
}
