import { expect, it } from "@jest/globals";
import type { DemoView } from "./demo-view.ts";
import { createPlainPresenter } from "./presenter.ts";

const view: DemoView = {
  now: 5000,
  beganAt: 0,
  factor: 60,
  seed: 1,
  doing: "",
  seen: {},
  details: {},
  tickets: { finished: 0, running: 0, waiting: 0, gate: "open" },
  steps: [],
  stepsToCome: [],
};

it("prints one line for every change and none for a repetition", () => {
  const lines: string[] = [];
  const presenter = createPlainPresenter(
    (line) => lines.push(line),
    () => 5000,
  );
  presenter.show({ ...view, seen: { trafficAt: 3000 } });
  presenter.show({ ...view, seen: { trafficAt: 3000 } });
  presenter.show({ ...view, seen: { trafficAt: 3000 }, steps: [{ step: "stop", name: "Stop", state: "running", at: 4000 }] });
  presenter.show({ ...view, seen: { trafficAt: 3000 }, steps: [{ step: "stop", name: "Stop", state: "done", at: 5000 }] });
  expect(lines).toEqual([
    "00:00:05.000 +0:03 ✔ Normal traffic runs on plan",
    "00:00:05.000 +0:04   Stop: running",
    "00:00:05.000 +0:05   Stop: done",
  ]);
});
