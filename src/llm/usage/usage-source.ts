/**
 * One object of a usage report that records what was read of it, so that a count which no shape uses is noticed.
 * A member that is null, undefined or absent is the same: not given.
 */
export interface UsageSource {
  /** Whether the member is given. */
  has(key: string): boolean;
  /** A count. What is no number from 0 up becomes a fault. */
  count(key: string): number | undefined;
  /** A text, such as a tier. */
  text(key: string): string | undefined;
  /** An object; an empty one when it is not given. */
  child(key: string): UsageSource;
  /** The objects of a list; none when it is not given. */
  children(key: string): readonly UsageSource[];
  /** The members that changed nothing about the cost, with everything in them. */
  skip(...keys: readonly string[]): void;
  /** Names of the members that are given. */
  keys(): readonly string[];
  /** Names of the given members that hold no object: one value, or a list of texts. */
  scalars(): readonly string[];
  /** The value as it came, for a member that is a usage object of its own; reads all of it. */
  raw(key: string): unknown;
  /** What was not read although it may change the cost, and what is no count. */
  remains(): SourceRemains;
}

/** What is wrong with the reading of an object. Paths are safe to print. */
export interface SourceRemains {
  /** Numbers other than 0 that were not read. */
  readonly counts: readonly string[];
  /** Texts and flags that were not read. */
  readonly texts: readonly string[];
  /** Members that had to be counts and are none. */
  readonly faults: readonly string[];
}

/** More members than any library writes. An object beyond it is not read. */
const maxMembers = 2000;
/** Deeper than any library nests. */
const maxDepth = 8;
/** Paths that a message names. */
const maxPaths = 5;

/** The largest count that one request can have. */
export const largestCount = 10_000_000_000;

/** Whether the value is an object of a size that a library writes. */
export function isReadableUsage(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && membersWithin(value, maxDepth, maxMembers) >= 0;
}

/** Members that may still come; negative when there were too many or they were too deep. */
function membersWithin(value: unknown, depth: number, budget: number): number {
  if (typeof value !== "object" || value === null) return budget;
  if (depth === 0) return -1;
  let remaining = budget;
  for (const member of Object.values(value)) {
    remaining = membersWithin(member, depth - 1, remaining - 1);
    if (remaining < 0) return -1;
  }
  return remaining;
}

/** Reads one object. `path` is where it was, for messages. */
export function createUsageSource(object: object, path = ""): UsageSource {
  const members = new Map<string, unknown>(Object.entries(object).filter(([, value]) => value !== null && value !== undefined));
  const read = new Set<string>();
  const faults: string[] = [];
  const children = new Map<string, readonly UsageSource[]>();
  const at = (key: string) => `${path}${safeKey(key)}`;
  const open = (key: string, values: readonly unknown[]): readonly UsageSource[] => {
    const opened = children.get(key) ?? values.map((value, index) => sourceOf(value, values.length > 1 ? `${at(key)}[${index}]` : at(key)));
    children.set(key, opened);
    read.add(key);
    return opened;
  };
  return {
    has: (key) => members.has(key),
    keys: () => [...members.keys()],
    scalars: () => [...members].filter(([, value]) => isScalar(value)).map(([key]) => key),
    count(key) {
      const value = members.get(key);
      if (value === undefined) return undefined;
      read.add(key);
      if (typeof value === "number" && isCount(value)) return value;
      faults.push(`${at(key)} is ${typeof value === "number" ? value : describe(value)}`);
      return undefined;
    },
    text(key) {
      const value = members.get(key);
      if (typeof value !== "string") return undefined;
      read.add(key);
      return value;
    },
    child(key) {
      const value = members.get(key);
      if (value === undefined) return createUsageSource({});
      return open(key, [value])[0] ?? createUsageSource({});
    },
    children(key) {
      const value = members.get(key);
      if (value === undefined) return [];
      return open(key, Array.isArray(value) ? value : [value]);
    },
    skip(...keys) {
      for (const key of keys) read.add(key);
    },
    raw(key) {
      read.add(key);
      return members.get(key);
    },
    remains() {
      const counts: string[] = [];
      const texts: string[] = [];
      const wrong = [...faults];
      for (const opened of [...children.values()].flat()) {
        const inner = opened.remains();
        counts.push(...inner.counts);
        texts.push(...inner.texts);
        wrong.push(...inner.faults);
      }
      for (const [key, value] of members) if (!read.has(key)) collect(value, at(key), { counts, texts });
      return { counts: counts.slice(0, maxPaths), texts: texts.slice(0, maxPaths), faults: wrong.slice(0, maxPaths) };
    },
  };
}

function isScalar(value: unknown): boolean {
  return typeof value !== "object" || (Array.isArray(value) && value.every((entry) => typeof entry === "string"));
}

/** What is no object has one member without a name, so that it is noticed all the same. */
function sourceOf(value: unknown, path: string): UsageSource {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? createUsageSource(value, `${path}.`)
    : createUsageSource({ "": value }, path);
}

function collect(value: unknown, path: string, into: { readonly counts: string[]; readonly texts: string[] }): void {
  if (into.counts.length >= maxPaths && into.texts.length >= maxPaths) return;
  if (typeof value === "number" || typeof value === "bigint") {
    if (value !== 0) into.counts.push(path);
  } else if (typeof value === "string") {
    // A count in quotes is a count that nothing reads.
    if (value !== "") (/^\s*[+-]?[\d.]/.test(value) ? into.counts : into.texts).push(path);
  } else if (value === true) into.texts.push(path);
  else if (typeof value === "object" && value !== null)
    for (const [key, member] of Object.entries(value)) collect(member, `${path}.${safeKey(key)}`, into);
}

/** Whether the number is whole and from 0 to {@link largestCount}. */
export function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= largestCount;
}

/** Names come from outside: nothing but letters that a name of a count has, and a short one. */
function safeKey(key: string): string {
  return key.replaceAll(/[^\w.-]/g, "?").slice(0, 60);
}

function describe(value: unknown): string {
  return Array.isArray(value) ? "a list" : typeof value === "object" ? "an object" : `a ${typeof value}`;
}
