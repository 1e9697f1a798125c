import { pbkdf2 } from "node:crypto";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { expect, it } from "@jest/globals";
import { createMainThreadCpu } from "./main-thread-cpu.ts";

// Only Linux tells.
if (existsSync("/proc/thread-self/schedstat"))
  it("counts what the thread computes, and not what other threads compute for it", async () => {
    const cpuMs = createMainThreadCpu();
    const processMs = createMainThreadCpu("/nowhere");
    const [before, ofProcess] = [cpuMs(), processMs()];
    let sum = 0;
    while (processMs() - ofProcess < 100) sum += Math.sqrt(sum + 1);
    const computed = cpuMs() - before;
    expect(computed).toBeGreaterThan(50);
    await Promise.all(Array.from({ length: 4 }, () => promisify(pbkdf2)("x", "y", 300_000, 64, "sha512")));
    const [waited, byAll] = [cpuMs() - before - computed, processMs() - ofProcess - 100];
    expect(waited).toBeLessThan(byAll / 2);
  });

it("is that of the process where the system does not tell", () => {
  const cpuMs = createMainThreadCpu("/nowhere/schedstat");
  const before = cpuMs();
  let sum = 0;
  for (let times = 0; times < 3e6; times += 1) sum += Math.sqrt(times);
  expect(sum).toBeGreaterThan(0);
  expect(cpuMs()).toBeGreaterThan(before);
});
