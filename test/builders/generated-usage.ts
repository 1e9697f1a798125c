import { createRandom, type Random } from "../../src/core/random.ts";
import type { GeneratedUsage, Json } from "./usage-sample.ts";
import { usageSchemas } from "./usage-schemas.ts";

/** One object as it should be, and the same with one thing changed. */
export interface ChangedUsage {
  readonly original: GeneratedUsage;
  readonly changed: GeneratedUsage;
  readonly change: (typeof changes)[number];
  /** The member that was changed, with dots; and its new name or place. */
  readonly path: string;
  readonly into: string;
}

/** What is done to one member. `doubled` gives the count a second time under another name, the same or another number. */
export const changes = ["removed", "renamed", "doubled", "moved up", "moved down"] as const;

/** The objects of a seed, one after another; the same on every machine. */
export function* generateUsage(seed: number, count: number): Generator<ChangedUsage> {
  const random = createRandom(seed);
  const names = [...new Set(usageSchemas.flatMap(({ create }) => membersOf(create(createRandom(1))).map(({ key }) => key)))];
  for (let made = 0; made < count; ) {
    const { create, ...schema } = pick(usageSchemas, random);
    const original = { ...schema, usage: create(random) };
    const change = pick(changes, random);
    const usage = structuredClone(original.usage);
    const { holder, key, path, parent } = pick(membersOf(usage), random);
    const named = random() < 0.2 ? `${key}_x` : pick(names, random);
    // An object has no member twice: what would take the place of another is a different request, not a changed object.
    const into = Object.hasOwn(holder, named) ? `${named}_x` : named;
    if (change === "moved up" && (parent === undefined || Object.hasOwn(parent, key))) continue;
    applyChange(change, { holder, key, parent: parent ?? usage, into, random });
    made += 1;
    yield { original, changed: { ...original, usage }, change, path, into };
  }
}

interface Member {
  readonly holder: Json;
  readonly key: string;
  readonly path: string;
  readonly parent: Json | undefined;
}

function membersOf(object: Json, path = "", parent?: Json): readonly Member[] {
  return Object.entries(object).flatMap(([key, value]) => [
    { holder: object, key, path: `${path}${key}`, parent },
    ...(isObject(value) ? membersOf(value, `${path}${key}.`, object) : []),
  ]);
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function applyChange(
  change: (typeof changes)[number],
  {
    holder,
    key,
    parent,
    into,
    random,
  }: { readonly holder: Json; readonly key: string; readonly parent: Json; readonly into: string; readonly random: Random },
): void {
  const value = holder[key];
  if (change === "doubled") {
    holder[into] = typeof value === "number" && random() < 0.5 ? value + 1 + Math.floor(random() * 500) : value;
    return;
  }
  delete holder[key];
  if (change === "renamed") holder[into] = value;
  if (change === "moved up") parent[key] = value;
  if (change === "moved down") {
    const child = Object.values(holder).find(isObject);
    if (child === undefined) holder[into] = { [key]: value };
    else child[key] = value;
  }
}

function pick<Value>(values: readonly Value[], random: Random): Value {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new Error("there is nothing to pick from");
  return value;
}
