import type { HttpPort } from "../actions/http-port.ts";
import type { Clock } from "../core/clock.ts";
import { minuteMs } from "../core/duration.ts";
import type { Feature, KeyReference } from "../core/feature.ts";
import { StoreUnavailable } from "../core/store-unavailable.ts";
import type { FeaturePorts } from "../llm/features/feature-ports.ts";
import { type KeySwitches, missingKeySwitch } from "../llm/features/key-switches.ts";
import { type FlagSwitches, missingFlagSwitch } from "../llm/flags/flag-switches.ts";
import { createMemoryEvidence } from "./memory-evidence.ts";
import { createMemorySecurityFindings } from "./memory-security-findings.ts";
import type { Rehearsal, SimulatedFeature, SimulatedKey } from "./rehearsal.ts";

/** The features of a rehearsal with their findings, flags and keys, and the answers to trial requests. */
export interface SimulatedFeatures extends Omit<FeaturePorts, "budgets" | "http"> {
  /** The answer to a request that tries a feature; undefined for any other request. */
  readonly answer: (url: string) => Awaited<ReturnType<HttpPort["request"]>> | undefined;
}

interface FlagState {
  readonly state: "on" | "off";
  readonly version: number;
  readonly feature: SimulatedFeature;
}

/** How long a gateway's cache holds a key before it writes it back. */
const cacheMs = minuteMs;

/** Features whose processes follow their flags as the rehearsal says, and keys that a gateway's cache may write back. `changed` hears every change as one line. */
export function createSimulatedFeatures(
  { features, findings, sources }: Pick<Rehearsal, "features" | "findings" | "sources">,
  clock: Pick<Clock, "now">,
  changed: (line: string) => void,
): SimulatedFeatures {
  const described = features.map(describe);
  const flags = new Map(
    features.flatMap((feature) => feature.flags.map((key) => [key, { state: "on", version: 1, feature }] as [string, FlagState])),
  );
  const isOff = (feature: SimulatedFeature) => feature.flags.every((key) => flags.get(key)?.state === "off");

  const stored: FlagSwitches["runbookd"] = {
    async read(key) {
      const flag = flags.get(key);
      return flag && { key, state: flag.state, version: String(flag.version) };
    },
    async setState({ key, state }) {
      const flag = flags.get(key);
      if (flag === undefined) return { kind: "unknown" };
      if (flag.state !== state) {
        changed(`flag/${key}: ${flag.state} -> ${state}`);
        flags.set(key, { ...flag, state, version: flag.version + 1 });
      }
      return { kind: "set", reading: { key, state, version: String(flag.version) } };
    },
    async evaluate(key) {
      const flag = flags.get(key);
      return flag && { value: flag.state === "on", variant: flag.state, reason: flag.state === "on" ? "STATIC" : "DISABLED" };
    },
    async followers(key) {
      const flag = flags.get(key);
      if (flag === undefined) return undefined;
      const { followers, staleFollowers } = flag.feature;
      return { followers, current: flag.version === 1 ? followers : followers - staleFollowers };
    },
  };

  return {
    features: described,
    securityFindings: simulatedFindings({ findings, sources }, clock),
    flagSwitches: { runbookd: stored, unleash: missingFlagSwitch("unleash", []), flagd: missingFlagSwitch("flagd", []) },
    keySwitches: simulatedKeys(features, clock, changed),
    featureRequests: { served: async (name) => features.find((feature) => feature.name === name)?.requests },
    evidence: {
      store: createMemoryEvidence(),
      audit: {
        async append({ kind, detail }) {
          const { feature, entries } = detail;
          const what = typeof feature === "string" ? feature : "";
          changed(`audit: ${kind} of ${what}, ${typeof entries === "number" ? entries : 0} entries`);
        },
      },
    },
    answer(url) {
      const feature = features.find(({ name }) => url === probeUrlOf(name));
      if (feature === undefined) return undefined;
      const refused = feature.probe === "refused" && isOff(feature);
      return { kind: "answered", status: refused ? 403 : 200, headers: {}, body: "" };
    },
  };
}

function describe({ name, flags, budgets, keys, probe, exposure, data, attacks }: SimulatedFeature): Feature {
  return {
    name,
    flags: flags.map((key) => ({ system: "runbookd", key })),
    budgets,
    keys: keys.map(({ system, id }) => ({ system, id })),
    paths: [],
    versionUrls: [],
    repository: repositoryOf(name),
    codeHost: "git",
    ...(probe !== "none" && { probe: { url: probeUrlOf(name), method: "GET" as const, refusedBy: [403] } }),
    ...(attacks !== undefined && { attacks: { kind: "command" as const, name: "attacks" } }),
    ...(exposure !== undefined && { exposure }),
    ...(data !== undefined && { data }),
  };
}

/** Each feature has a repository of its own. */
export function repositoryOf(feature: string): string {
  return `rehearsal/${feature}`;
}

function probeUrlOf(feature: string): string {
  return `http://rehearsal.invalid/${feature}`;
}

/** Reports arrive in the order in which they are written. */
function simulatedFindings(
  { findings, sources }: Pick<Rehearsal, "findings" | "sources">,
  clock: Pick<Clock, "now">,
): FeaturePorts["securityFindings"] {
  const start = clock.now();
  const store = createMemorySecurityFindings(clock);
  const arrive = async () => {
    for (const { agoMs, ...report } of findings === "unreadable" ? [] : findings)
      await store.report({ ...report, location: {}, updatedAt: start - agoMs });
    for (const [source, state] of Object.entries(sources)) await store.recordSource({ source, up: state === "up" });
  };
  let arriving: Promise<void> | undefined;
  const readable = async () => {
    if (findings === "unreadable") throw new StoreUnavailable(new Error("rehearsed"));
    arriving ??= arrive();
    await arriving;
    return store;
  };
  return {
    list: async (filter, max) => (await readable()).list(filter, max),
    read: async (id) => (await readable()).read(id),
    judge: async (judged) => (await readable()).judge(judged),
    sources: async () => (await readable()).sources(),
  };
}

interface KeyState {
  readonly key: SimulatedKey;
  state: "active" | "disabled";
  /** How often the gateway's cache still writes it back. */
  undone: number;
  disabledAt: number;
}

function simulatedKeys(features: readonly SimulatedFeature[], clock: Pick<Clock, "now">, changed: (line: string) => void): KeySwitches {
  const all = new Map(
    features.flatMap(({ keys }) =>
      keys.map((key): [string, KeyState] => [key.id, { key, state: "active", undone: key.undone, disabledAt: 0 }]),
    ),
  );
  const at = (system: KeyReference["system"], id: string): KeyState | undefined => {
    const one = all.get(id);
    if (one?.key.system !== system) return undefined;
    if (one.state === "disabled" && one.undone > 0 && clock.now() >= one.disabledAt + cacheMs) {
      one.undone -= 1;
      one.state = "active";
      changed(`key/${system}/${id}: written back by a cache`);
    }
    return one;
  };
  const of = (system: KeyReference["system"]): KeySwitches[typeof system] => ({
    async read(id) {
      const one = at(system, id);
      return one && { id, state: one.state };
    },
    async disable(id) {
      const one = at(system, id);
      if (one === undefined) return false;
      if (one.state === "active") changed(`key/${system}/${id}: active -> disabled`);
      one.state = "disabled";
      one.disabledAt = clock.now();
      return true;
    },
    async isRefused(id) {
      if (system === "anthropic") return undefined;
      const one = at(system, id);
      return one?.state === "disabled" && !one.key.served;
    },
  });
  return features.length === 0
    ? { anthropic: missingKeySwitch("anthropic", []), litellm: missingKeySwitch("litellm", []) }
    : { anthropic: of("anthropic"), litellm: of("litellm") };
}
