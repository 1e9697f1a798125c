import { type Finding, fault, fine, warning } from "../../core/diagnosis.ts";
import { formatShare } from "../../core/share.ts";

/** What makes writes durable where Redis does not permit CONFIG GET; see docs/redis.md. */
export const durabilitySources = ["appendfsync-always", "appendfsync-everysec", "provider"] as const;

/** One of {@link durabilitySources}. */
export type DurabilitySource = (typeof durabilitySources)[number];

/** What a Redis says of itself: the fields of INFO, and CONFIG GET where it is permitted. */
export interface RedisFacts {
  readonly info: ReadonlyMap<string, string>;
  readonly config: ReadonlyMap<string, string>;
}

/** The fields of INFO's text. */
export function parseInfo(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(/\r?\n/).flatMap((line): (readonly [string, string])[] => {
    const colon = line.indexOf(":");
    return line.startsWith("#") || colon < 1 ? [] : [[line.slice(0, colon), line.slice(colon + 1)]];
  });
  return new Map(pairs);
}

/** Releases without the use-after-free faults of Redis' Lua (CVE-2025-49844 and siblings), by series. */
const patched: Readonly<Record<string, number>> = { "6.2": 20, "7.2": 11, "7.4": 6, "8.0": 4, "8.2": 2 };

/**
 * Whether the settings carry our promises: nothing evicted, everything on disk before it is answered, and writable. What is not known is a fault;
 * `durableBy` (REDIS_DURABLE_BY) decides only what Redis does not say.
 */
export function judgeRedis(facts: RedisFacts, durableBy?: DurabilitySource): readonly Finding[] {
  return [
    judgeVersion(facts),
    judgeRole(facts),
    judgePolicy(facts),
    judgeLog(facts, durableBy),
    judgeSync(facts, durableBy),
    judgeMemory(facts),
  ];
}

function judgeVersion({ info }: RedisFacts): Finding {
  const version = info.get("valkey_version") ?? info.get("redis_version") ?? "unknown";
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  if (!(major > 6 || (major === 6 && minor >= 2))) return fault("Redis version", version, "Use Redis 6.2 or newer, or Valkey.");
  const needed = info.has("valkey_version") ? undefined : patched[`${major}.${minor}`];
  const isPatched = needed === undefined ? info.has("valkey_version") || major > 8 || (major === 8 && minor > 2) : patch >= needed;
  if (isPatched) return fine("Redis version", version);
  return warning(
    "Redis version",
    `${version}: fixes of its Lua interpreter (CVE-2025-49844) may be missing`,
    "Use 6.2.20, 7.2.11, 7.4.6, 8.0.4, 8.2.2 or newer, or see that your distribution has patched it.",
  );
}

function judgeRole({ info }: RedisFacts): Finding {
  const role = info.get("role") ?? "unknown";
  return role === "master"
    ? fine("Redis role", "primary")
    : fault("Redis role", role, "Point REDIS_URL at the primary; a replica refuses writes.");
}

function judgePolicy({ info, config }: RedisFacts): Finding {
  const policy = config.get("maxmemory-policy") ?? info.get("maxmemory_policy") ?? "unknown";
  if (policy === "noeviction") return fine("Redis maxmemory-policy", policy);
  return fault(
    "Redis maxmemory-policy",
    policy,
    "CONFIG SET maxmemory-policy noeviction, and the same in redis.conf: any other policy may delete a run.",
  );
}

function judgeLog({ info, config }: RedisFacts, durableBy: DurabilitySource | undefined): Finding {
  if (durableBy === "provider" && !config.has("appendfsync"))
    return warning("Redis AOF", "not asked: REDIS_DURABLE_BY says that the provider keeps writes", isProvidersPromise);
  if (info.get("aof_enabled") !== "1") {
    return fault(
      "Redis AOF",
      info.has("aof_enabled") ? "off" : "unknown",
      "CONFIG SET appendonly yes, and the same in redis.conf: without it a restart forgets runs that were accepted.",
    );
  }
  const status = info.get("aof_last_write_status") ?? "ok";
  return status === "ok"
    ? fine("Redis AOF", "on")
    : fault("Redis AOF", `last write: ${status}`, "See to the disk that Redis writes to; it is full or failing.");
}

const isProvidersPromise = "Check that your provider promises that an acknowledged write survives the loss of a node.";

function judgeSync({ config }: RedisFacts, durableBy: DurabilitySource | undefined): Finding {
  const name = "Redis appendfsync";
  const configured = config.get("appendfsync");
  if (configured === undefined && durableBy === undefined)
    return fault(
      name,
      "unknown: CONFIG GET is not permitted",
      "Ask the operator of this Redis whether a write is on disk before it is answered, and set REDIS_DURABLE_BY accordingly (docs/redis.md).",
    );
  if (configured === undefined && durableBy === "provider")
    return warning(name, "not asked: REDIS_DURABLE_BY says that the provider keeps writes", isProvidersPromise);
  const sync = configured ?? durableBy?.replace("appendfsync-", "") ?? "unknown";
  const detail = configured === undefined ? `${sync}, according to REDIS_DURABLE_BY` : sync;
  if (sync === "always") return fine(name, detail);
  const fix = "CONFIG SET appendfsync always, and the same in redis.conf.";
  return sync === "everysec" ? warning(name, `${detail}: a power loss forgets about the last second`, fix) : fault(name, detail, fix);
}

/** Used memory as a share of maxmemory; 0 without a limit, undefined when INFO does not say. */
export function memoryShare({ info }: Pick<RedisFacts, "info">): number | undefined {
  const [used, limit] = [Number(info.get("used_memory") ?? Number.NaN), Number(info.get("maxmemory") ?? 0)];
  if (Number.isNaN(used) || Number.isNaN(limit)) return undefined;
  return limit === 0 ? 0 : used / limit;
}

function judgeMemory({ info }: RedisFacts): Finding {
  const [used, limit] = [Number(info.get("used_memory") ?? 0), Number(info.get("maxmemory") ?? 0)];
  if (limit === 0) return fine("Redis memory", `${megabytes(used)}, no limit`);
  const share = used / limit;
  const detail = `${megabytes(used)} of ${megabytes(limit)} (${formatShare(share, { decimals: 0 })})`;
  return share < 0.7 ? fine("Redis memory", detail) : warning("Redis memory", detail, "Raise maxmemory: a full Redis accepts no run.");
}

/** Whether the replicas that a write must reach are there now. `wanted`: REDIS_WAIT_REPLICAS. */
export function judgeReplicas({ info }: RedisFacts, wanted: number): Finding {
  const there = Number(info.get("connected_slaves") ?? 0);
  if (wanted === 0)
    return there === 0
      ? fine("Redis replicas", "none; REDIS_WAIT_REPLICAS is 0")
      : warning(
          "Redis replicas",
          `${there} connected, and REDIS_WAIT_REPLICAS is 0: a failover may forget runs that were accepted`,
          `Set REDIS_WAIT_REPLICAS=${there}: a run is accepted, and an effect begins, only when that many replicas have it.`,
        );
  const detail = `${there} connected, REDIS_WAIT_REPLICAS is ${wanted}`;
  if (there < wanted)
    return fault("Redis replicas", detail, "Bring the replicas back: until then webhooks are answered 503 and no effect begins.");
  return there > wanted
    ? warning("Redis replicas", detail, `Set REDIS_WAIT_REPLICAS=${there}, else the one that is promoted may be one that did not confirm.`)
    : fine("Redis replicas", detail);
}

function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}
