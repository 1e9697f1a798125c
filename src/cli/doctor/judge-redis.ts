import { formatShare } from "../../core/share.ts";
import { type Finding, fault, fine, warning } from "./diagnosis.ts";

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

/** Whether the settings carry our promises: nothing evicted, everything on disk before it is answered, and writable. */
export function judgeRedis(facts: RedisFacts): readonly Finding[] {
  return [judgeVersion(facts), judgeRole(facts), judgePolicy(facts), judgeLog(facts), judgeSync(facts), judgeMemory(facts)];
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

function judgeLog({ info }: RedisFacts): Finding {
  if (info.get("aof_enabled") !== "1") {
    return fault(
      "Redis AOF",
      "off",
      "CONFIG SET appendonly yes, and the same in redis.conf: without it a restart forgets runs that were accepted.",
    );
  }
  const status = info.get("aof_last_write_status") ?? "ok";
  return status === "ok"
    ? fine("Redis AOF", "on")
    : fault("Redis AOF", `last write: ${status}`, "See to the disk that Redis writes to; it is full or failing.");
}

function judgeSync({ config }: RedisFacts): Finding {
  const sync = config.get("appendfsync");
  if (sync === "always") return fine("Redis appendfsync", sync);
  const fix = "CONFIG SET appendfsync always, and the same in redis.conf.";
  if (sync === "everysec") return warning("Redis appendfsync", "everysec: a power loss forgets about the last second", fix);
  if (sync === undefined)
    return warning(
      "Redis appendfsync",
      "cannot be seen: CONFIG GET is not permitted",
      "Ask who runs it whether writes are on disk before they are answered.",
    );
  return fault("Redis appendfsync", sync, fix);
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
