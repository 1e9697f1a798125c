import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";

const program = join(import.meta.dirname, "../../dist/bench/rollouts/print-tables.js");
const resultSchema = z.object({
  faults: z.array(z.string()),
  tables: z.array(
    z.object({
      title: z.string(),
      rows: z.array(
        z.object({ label: z.string(), cells: z.array(z.object({ share: z.number().optional(), median: z.number().optional() })) }),
      ),
    }),
  ),
});

/** Outside the test runner, whose sandbox makes arithmetic several times slower. A busy machine needs its time. */
const waitMs = 900_000;
let result: z.output<typeof resultSchema>;

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [program, "--few", "--json"], { maxBuffer: 1e7 }).catch(
    (failed: { readonly stdout?: unknown }) => ({ stdout: String(failed.stdout) }),
  );
  result = resultSchema.parse(JSON.parse(stdout));
}, waitMs);

function cellOf(title: string, label: string, column: number): number {
  const cell = result.tables.find((table) => table.title.startsWith(title))?.rows.find((row) => row.label === label)?.cells[column];
  return cell?.share ?? cell?.median ?? Number.NaN;
}

describe("simulated rollouts", () => {
  it("agree with every figure of the reference: within three standard errors, medians within a tenth", () => {
    expect(result.tables.length).toBe(13);
    expect(result.faults).toEqual([]);
  });

  it("end rightly through a change of both arms when compared within each step, where pooled arms end wrongly in most runs", () => {
    const [promoted, takenBack] = [0, 1];
    const rule = (label: string, name: string, column: number) => cellOf("Three rules", `${label}: ${name}`, column);
    const falls = "equal, both fall from 90 to 70 %";
    const rises = "worse by 10 points, both rise by 20";
    expect(rule(falls, "by step", promoted)).toBeGreaterThan(0.85);
    expect(rule(falls, "pooled", takenBack)).toBeGreaterThan(0.8);
    expect(rule(rises, "by step", promoted)).toBeLessThan(0.1);
    expect(rule(rises, "pooled", promoted)).toBeGreaterThan(0.5);
  });

  it("promote an equal canary, which a best-arm rule leaves open or takes back", () => {
    expect(cellOf("Three rules", "equal: by step", 0)).toBeGreaterThan(0.85);
    expect(cellOf("Three rules", "equal: best arm", 0)).toBeLessThan(0.6);
  });

  it("spend few canary tickets on one that is worse by 20 points", () => {
    expect(cellOf("Three rules", "worse by 20 points: by step", 3)).toBeLessThan(45);
  });

  it.each([
    "ratio 1.1, later cost × 1",
    "ratio 1.1, later cost × 3",
    "ratio 1.1, later cost × 0.33",
    "ratio 1.1, later cost × 1, success 70 %",
  ])("hardly ever call a cost per success at the limit dear, nor cheap: %s", (label) => {
    expect(cellOf("Cost per success", label, 0)).toBeLessThanOrEqual(0.06);
    expect(cellOf("Cost per success", label, 1)).toBeLessThanOrEqual(0.1);
  });

  it("find a cost per success of twice the baseline's", () =>
    expect(cellOf("Cost per success", "ratio 2, later cost × 1", 0)).toBeGreaterThan(0.95));
});
