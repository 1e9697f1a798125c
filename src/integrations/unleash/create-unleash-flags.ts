import { createHash } from "node:crypto";
import { z } from "zod";
import { canonicalJson } from "../../../packages/sdk/src/wire/json.ts";
import { bodyOf, jsonOf } from "../../actions/json-answer.ts";
import { StepFailure } from "../../core/failure.ts";
import type { FlagReading, FlagSwitch } from "../../llm/flags/flag-switch.ts";
import type { BoundedSender } from "../../platform/requests/bounded-request.ts";

/** Where Unleash is, and the one environment of one project whose flags are switched. */
export interface UnleashAccess {
  readonly url: string;
  /** A service account's token. */
  readonly adminToken: string;
  /** A frontend token of `environment`. */
  readonly frontendToken: string;
  readonly project: string;
  readonly environment: string;
}

const environmentShape = z.object({ enabled: z.boolean(), strategies: z.array(z.json()).default([]) });
const errorShape = z.object({ name: z.string(), message: z.string().default("") });
const togglesShape = z.object({
  toggles: z.array(
    z.object({ name: z.string(), enabled: z.boolean(), variant: z.object({ name: z.string(), enabled: z.boolean() }).optional() }),
  ),
});

/** Unleash takes no other names, and "." and ".." would be another address. */
const nameShape = /^(?!\.{1,2}$)[\w\-.!~*'()]{1,100}$/;

/**
 * Flags of Unleash: switched by its Admin API, and evaluated by its Frontend API as an application's user with the targeting key as `userId`.
 * https://docs.getunleash.io/reference/api/unleash
 */
export function createUnleashFlags(sender: BoundedSender, access: UnleashAccess): FlagSwitch {
  const { url, adminToken, frontendToken, project, environment } = access;
  const [inProject, inEnvironment] = [encodeURIComponent(project), encodeURIComponent(environment)];
  const addressOf = (key: string) =>
    `${url}/api/admin/projects/${inProject}/features/${encodeURIComponent(key)}/environments/${inEnvironment}`;
  const send = async (method: "GET" | "POST", address: string, authorization: string) =>
    sender.send({
      method,
      url: address,
      // The token is the whole header: Unleash takes "Bearer" for a part of it.
      headers: { authorization, accept: "application/json", ...(method === "POST" && { "content-type": "application/json" }) },
      signal: new AbortController().signal,
    });

  async function read(key: string): Promise<FlagReading | undefined> {
    if (!nameShape.test(key)) return undefined;
    const answer = await send("GET", addressOf(key), adminToken);
    // A 404 of a proxy, or of another address, does not say that there is no such flag.
    if (answer.kind === "answered" && answer.status === 404 && bodyOf(answer, errorShape)?.name === "NotFoundError") return undefined;
    const { enabled, strategies } = jsonOf(answer, environmentShape, { name: "Unleash", reads: true });
    const version = createHash("sha256").update(canonicalJson({ enabled, strategies })).digest("hex");
    return { key, state: enabled ? "on" : "off", version: version.slice(0, 16) };
  }

  return {
    read,
    async setState({ key, state }) {
      const before = await read(key);
      if (before === undefined) return { kind: "unknown" };
      if (before.state === state) return { kind: "set", reading: before };
      const answer = await send("POST", `${addressOf(key)}/${state}`, adminToken);
      if (answer.kind === "answered") {
        const error = bodyOf(answer, errorShape);
        if (answer.status === 404 && error?.name === "NotFoundError") return { kind: "unknown" };
        if (answer.status === 403) return { kind: "refused", reason: refusalOf(error) };
        if (answer.status === 400 && error?.name === "ArchivedFeatureError")
          return { kind: "refused", reason: "Unleash has archived the flag." };
      }
      // The answer of a change has no body; what counts is read again.
      if (answer.kind === "failed" || answer.status < 200 || answer.status > 299)
        jsonOf(answer, z.never(), { name: "Unleash", reads: false });
      const reading = await read(key);
      if (reading?.state === state) return { kind: "set", reading };
      throw new StepFailure({
        reason: "unknown_outcome",
        message: `Unleash answered 200 to switching ${key} ${state}, and afterwards says that it is ${reading?.state ?? "not there"}.`,
        applied: "unknown",
      });
    },
    async evaluate(key, targetingKey) {
      const query = new URLSearchParams({ appName: "runbookd", userId: targetingKey });
      const answer = await send("GET", `${url}/api/frontend?${query.toString()}`, frontendToken);
      const { toggles } = jsonOf(answer, togglesShape, { name: "Unleash's Frontend API", reads: true });
      const toggle = toggles.find(({ name }) => name === key);
      if (toggle?.enabled === true) {
        return { value: true, reason: "TARGETING_MATCH", ...(toggle.variant?.enabled === true && { variant: toggle.variant.name }) };
      }
      // Only flags that are on for this user are listed: a flag that is off and one that does not exist look alike there.
      const reading = await read(key);
      return reading === undefined ? undefined : { value: false, reason: reading.state === "off" ? "DISABLED" : "DEFAULT" };
    },
    // Unleash knows which SDKs have registered, and not which configuration each has.
    followers: async () => undefined,
  };
}

function refusalOf(error: z.output<typeof errorShape> | undefined): string {
  // Of what it says only the names of permissions are told further.
  const permissions = [...(error?.message.slice(0, 1000).matchAll(/"([A-Z_]{1,60})"/g) ?? [])].map(([, name]) => name);
  if (permissions.includes("SKIP_CHANGE_REQUEST"))
    return "Unleash asks for a change request in this environment. Give the token's account the permission SKIP_CHANGE_REQUEST there, or switch the flag by hand.";
  if (permissions.length > 0) return `Unleash refuses: the token's account lacks ${permissions.join(" or ")}.`;
  return "Unleash answered 403.";
}
