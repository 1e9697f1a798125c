import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const names = z.record(z.string(), z.string()).default({});

/** What the tests of packaging read of package.json. */
export interface Manifest {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, { readonly types: string; readonly default: string }>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  /** The peer dependencies that a user may leave out, with their ranges. */
  readonly optionalPeers: Readonly<Record<string, string>>;
}

const shape = z.looseObject({
  version: z.string(),
  bin: names,
  exports: z.record(z.string(), z.object({ types: z.string(), default: z.string() })),
  dependencies: names,
  devDependencies: names,
  peerDependencies: names,
  peerDependenciesMeta: z.record(z.string(), z.object({ optional: z.boolean() })).default({}),
});

/** package.json of a folder. Throws when it is missing or not as expected. */
export function readManifest(folder: string): Manifest {
  const { peerDependenciesMeta, ...rest } = shape.parse(JSON.parse(readFileSync(join(folder, "package.json"), "utf8")));
  const isOptional = ([name]: readonly [string, string]) => peerDependenciesMeta[name]?.optional === true;
  return { ...rest, optionalPeers: Object.fromEntries(Object.entries(rest.peerDependencies).filter(isOptional)) };
}
