import { describe, expect, it } from "@jest/globals";
import { createPaint, type DemoView, renderDemo } from "./demo-view.ts";
import { createScreen } from "./screen.ts";

const view: DemoView = {
  now: 65_000,
  beganAt: 0,
  factor: 60,
  seed: 1,
  doing: "windows fill",
  milestones: [
    { key: "traffic", label: "Normal traffic runs on plan", reached: 20_000 },
    { key: "storm", label: "A release makes one prompt retry without end", reached: 40_000, detail: "release 1.5.0" },
    { key: "alert", label: "Prometheus fires the burn-rate alert" },
    { key: "accepted", label: "Alertmanager calls, runbookd accepts" },
  ],
  gauges: [
    { label: "Budget", share: 0.04, text: "$20.00 of $500.00 (4.0 %)" },
    { label: "Tickets", text: "12 finished, 8 in flight, 3 waiting; gate closed" },
  ],
  run: { id: "01J0" },
  steps: [{ step: "stop", name: "Stop all batch jobs", state: "done", at: 61_000 }],
  stepsToCome: ["Resume operations with limits"],
};

describe("the demo's screen", () => {
  it("shows what was observed, what is waited for, the figures and the run", () => {
    const text = renderDemo(view, 100, createPaint(false)).join("\n");
    expect(text).toContain("✔  0:40  A release makes one prompt retry without end: release 1.5.0");
    expect(text).toContain("Prometheus fires the burn-rate alert: windows fill");
    expect(text).toContain("·        Alertmanager calls, runbookd accepts");
    expect(text).toMatch(/Budget {2}█{2}░{38} {2}\$20\.00 of \$500\.00 \(4\.0 %\)/);
    expect(text).toContain("Tickets 12 finished, 8 in flight, 3 waiting; gate closed");
    expect(text).toContain("Run 01J0");
    expect(text).toContain("✔  1:01  Stop all batch jobs");
    expect(text).toContain("·        Resume operations with limits");
  });

  it("has no escape codes without colour, and keeps to the width", () => {
    const lines = renderDemo(view, 60, createPaint(false));
    expect(lines.join("")).not.toContain("\u001b");
    expect(lines.filter((line) => /^ {2}[✔·]/u.test(line)).every((line) => line.length <= 60)).toBe(true);
  });

  it("redraws over itself and never climbs above the top of the terminal", () => {
    const written: string[] = [];
    const write = (text: string | Uint8Array) => {
      written.push(String(text));
      return true;
    };
    const screen = createScreen({ write, rows: 3 });
    screen.draw(["one", "two", "three"]);
    screen.draw(["one"]);
    expect(written[1]).not.toContain("three");
    expect(written[2]?.startsWith("\u001b[2A")).toBe(true);
    screen.close();
    expect(written.at(-1)).toBe("\u001b[?25h");
  });
});
