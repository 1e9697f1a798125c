import type { HttpPort } from "../actions/http-port.ts";
import type { Clock } from "../core/clock.ts";
import { minuteMs } from "../core/duration.ts";
import type { Feature, KeyReference } from "../core/feature.ts";
import { StoreUnavailable } from "../core/store-unavailable.ts";
import type { FeaturePorts } from "../llm/features/feature-ports.ts";
import { type KeySwitches, missingKeySwitch } from "../llm/features/key-switches.ts";
import { decideSeverity } from "../llm/findings/decide-severity.ts";
import type { SecurityFindingStore } from "../llm/findings/security-finding-store.ts";
import { missingFlagSwitch } from "../llm/flags/flag-switches.ts";
import { createStoredFlagSwitch } from "../llm/flags/stored-flag-switch.ts";
import { createMemoryEvidence } from "./memory-evidence.ts";
import { createMemorySecurityFindings } from "./memory-security-findings.ts";
import type { Rehearsal, SimulatedFeature, SimulatedKey } from "./rehearsal.ts";
import { createSimulatedFlags, type SimulatedFlags } from "./simulated-flags.ts";

/** The features of a rehearsal with their findings, flags and keys, and the answers to trial requests. */
export interface SimulatedFeatures extends Omit<FeaturePorts, "budgets" | "http">, Pick<SimulatedFlags, "followers"> {
  readonly securityFindings: FeaturePorts["securityFindings"] & Pick<SecurityFindingStore, "events">;
  /** The answer to a request that tries a feature; undefined for any other request. */
  readonly answer: (url: string) => Awaited<ReturnType<HttpPort["request"]>> | undefined;
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
  const { flags, followers, isOff } = createSimulatedFlags(features, clock, changed);
  const stored = createStoredFlagSwitch({ flags, followers });

  return {
    features: described,
    flags,
    followers,
    securityFindings: simulatedFindings({ findings, sources }, clock),
    assess: decideSeverity,
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

function describe({ name, flags, budgets, keys, probe, exposure, data, attacks, release }: SimulatedFeature): Feature {
  return {
    name,
    flags: flags.map((key) => ({ system: "runbookd", key })),
    budgets,
    keys: keys.map(({ system, id }) => ({ system, id })),
    paths: [],
    repository: repositoryOf(name),
    codeHost: "git",
    tests: { kind: "command", name: "test" },
    deployment: { kind: "command", name: "deploy" },
    versionUrls: Array.from({ length: release.processes }, (_, nth) => `http://rehearsal.invalid/${name}/${nth + 1}/version`),
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

/** Reports arrive at their time, those of one time in the order in which they are written. */
function simulatedFindings(
  { findings, sources }: Pick<Rehearsal, "findings" | "sources">,
  clock: Pick<Clock, "now">,
): SimulatedFeatures["securityFindings"] {
  const start = clock.now();
  const store = createMemorySecurityFindings(clock);
  const coming = findings === "unreadable" ? [] : findings.toSorted((a, b) => a.afterMs - b.afterMs);
  const arrive = async () => {
    for (const [source, state] of Object.entries(sources)) await store.recordSource({ source, up: state === "up" });
    while (coming[0] !== undefined && start + coming[0].afterMs <= clock.now()) {
      const { agoMs, afterMs, ...report } = coming.shift() ?? coming[0];
      await store.report({ ...report, location: {}, updatedAt: afterMs === 0 ? start - agoMs : start + afterMs });
    }
  };
  let arriving = Promise.resolve();
  const readable = async () => {
    if (findings === "unreadable") throw new StoreUnavailable(new Error("rehearsed"));
    arriving = arriving.then(arrive);
    await arriving;
    return store;
  };
  return {
    list: async (filter, max) => (await readable()).list(filter, max),
    read: async (id) => (await readable()).read(id),
    judge: async (judged) => (await readable()).judge(judged),
    sources: async () => (await readable()).sources(),
    events: async (id) => (await readable()).events(id),
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
