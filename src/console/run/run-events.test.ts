import { describe, expect, it } from "@jest/globals";
import { createJournal } from "../../../test/builders/create-journal.ts";
import { everyEntry } from "../../../test/builders/every-entry.ts";
import { runEvents, trackedSamples } from "./run-events.ts";
import { checksOf, stepStories, withUnmentioned } from "./step-stories.ts";

describe("what happened to a run", () => {
  const claim = { kind: "claimed", worker: "vm/0" } as const;

  it("names a worker that continues after another one was lost, also one of the same name", () => {
    const journal = createJournal(0);
    journal.note(0, { ...claim });
    journal.step("stop").intent(1, { action: "pause-batches" });
    journal.note(1, { ...claim });
    journal.step("stop").completed(1);
    journal.note(1, { ...claim, worker: "vm/1" });
    expect(runEvents(journal.entries).map(({ text }) => text)).toEqual([
      "Worker vm/0 works on the run.",
      "Another process took the run over as worker vm/0.",
      "Worker vm/1 took the run over from worker vm/0.",
    ]);
  });

  it("says nothing when a worker continues where it waited", () => {
    const journal = createJournal(0);
    journal.note(0, { ...claim });
    journal.note(1, { kind: "suspended", until: 5, why: "it waits" });
    journal.note(5, { kind: "resolved", why: "Alertmanager reports it" });
    journal.note(5, { ...claim });
    expect(runEvents(journal.entries).map(({ text }) => text)).toEqual([
      "Worker vm/0 works on the run.",
      "The alert is resolved: Alertmanager reports it.",
    ]);
  });

  it("has every kind of entry in its list, in a step, in a check of the document or in a curve", () => {
    const places = everyEntry.map((entry) => {
      const around = entry.kind === "answered" || entry.kind === "escalated" ? everyEntry.filter(({ kind }) => kind === "asked") : [];
      const journal = [...around, entry];
      const logLines = [...stepStories(journal, { state: "running" }).values()].flatMap(({ log }) => log);
      const isShown =
        runEvents([entry]).length > 0 ||
        logLines.length > around.length ||
        trackedSamples([entry]).size > 0 ||
        checksOf([entry], "prerequisite").size > 0;
      return [entry.kind, isShown] as const;
    });
    expect(places.filter(([, isShown]) => !isShown)).toEqual([]);
  });
});

describe("a step that no entry mentions", () => {
  const story = { state: "done", attempts: 1, checks: [], questions: [], log: [] } as const;
  const stories = new Map([
    ["first", story],
    ["third", story],
  ]);
  const steps = ["first", "second", "third", "fourth"];

  it.each([
    ["running", ["done", "passed_over", "done", "to_come"]],
    ["ended", ["done", "passed_over", "done", "not_begun"]],
  ] as const)("of a run that is %s was passed over, is to come, or was not begun", (state, expected) => {
    const all = withUnmentioned(stories, steps, { state });
    expect(steps.map((step) => all.get(step)?.state)).toEqual(expected);
  });
});
