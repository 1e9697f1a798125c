import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { z } from "zod";

const root = join(import.meta.dirname, "../..");
const entry = z.looseObject({
  version: z.string().optional(),
  link: z.boolean().optional(),
  integrity: z.string().optional(),
  resolved: z.string().optional(),
  optionalDependencies: z.record(z.string(), z.string()).default({}),
});
const lockShape = z.looseObject({ packages: z.record(z.string(), entry) });

describe.each([
  ["package-lock.json", 500, 50],
  ["test/node24/package-lock.json", 1, 1],
  ["test/clients/package-lock.json", 150, 0],
])("%s", (file, leastPackages, leastOptional) => {
  const { packages } = lockShape.parse(JSON.parse(readFileSync(join(root, file), "utf8")));
  const installed = Object.entries(packages).filter(([path, { link }]) => path.includes("node_modules/") && link !== true);

  it("proves the bytes of every package; setup/complete-lock.js asks for what is missing", () => {
    expect(installed.length).toBeGreaterThan(leastPackages);
    expect(
      installed.filter(([, { integrity }]) => integrity === undefined || !integrity.startsWith("sha512-")).map(([path]) => path),
    ).toEqual([]);
  });

  it("names no registry, so that each machine uses its own", () => {
    expect(installed.filter(([, { resolved }]) => resolved !== undefined).map(([path]) => path)).toEqual([]);
  });

  it("locks the optional packages of every platform, without which `npm ci` refuses; setup/complete-lock.js adds them", () => {
    const locked = new Set(installed.map(([path]) => path.replace(/^.*node_modules\//, "")));
    const optional = Object.values(packages).flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies));
    expect(optional.length).toBeGreaterThanOrEqual(leastOptional);
    expect(optional.filter((name) => !locked.has(name))).toEqual([]);
  });
});
