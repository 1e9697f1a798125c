import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { decideEpisode, type EpisodeStep, refireToleranceMs, touchEveryMs } from "./decide-episode.ts";
import type { Episode } from "./episode.ts";
import type { ReceivedAlert } from "./notification.ts";

const minute = 60_000;
const t0 = Date.UTC(2026, 10, 23);

function firing(startsAt: number, clockFault?: string): ReceivedAlert {
  const alert = { status: "firing", labels: {}, annotations: {}, startsAt, generatorUrl: "", fingerprint: "f" } as const;
  return clockFault === undefined ? { alert } : { alert, clockFault };
}

function resolved(startsAt: number, endsAt: number): ReceivedAlert {
  return { alert: { status: "resolved", labels: {}, annotations: {}, startsAt, endsAt, generatorUrl: "", fingerprint: "f" } };
}

/** Plays messages against the model as intake does; answers each step and the episode that is kept. */
function play(
  messages: readonly ReceivedAlert[],
  from?: Episode,
): { readonly steps: readonly EpisodeStep[]; readonly episode: Episode | undefined } {
  let episode = from;
  const steps = messages.map((message, index) => {
    const step = decideEpisode(message, episode, { runbookId: "r", now: t0 + index * 1000 });
    if (step.kind === "start") episode = { ...step.episode, runId: `run${index}`, ownRunId: `run${index}` };
    else if (step.kind !== "stale") episode = step.episode;
    return step;
  });
  return { steps, episode };
}

const kinds = (messages: readonly ReceivedAlert[]) => play(messages).steps.map((step) => (step.kind === "start" ? step.why : step.kind));

describe("one alert after another", () => {
  it.each([
    ["the first firing starts", [firing(t0)], ["first"]],
    ["a repeat joins", [firing(t0), firing(t0)], ["first", "join"]],
    ["an earlier start is another replica's and joins", [firing(t0), firing(t0 - 60 * minute)], ["first", "join"]],
    ["a start within the tolerance joins", [firing(t0), firing(t0 + refireToleranceMs)], ["first", "join"]],
    ["a start beyond the tolerance fires anew without a resolve", [firing(t0), firing(t0 + refireToleranceMs + 1)], ["first", "refired"]],
    ["a resolve ends the episode", [firing(t0), resolved(t0, t0 + minute)], ["first", "resolve"]],
    [
      "a firing after the end starts, however soon",
      [firing(t0), resolved(t0, t0 + minute), firing(t0 + minute + 1)],
      ["first", "resolve", "fired_again"],
    ],
    ["a late firing of an ended episode is stale", [firing(t0), resolved(t0, t0 + minute), firing(t0)], ["first", "resolve", "stale"]],
    ["a firing at the very end is stale", [firing(t0), resolved(t0, t0 + minute), firing(t0 + minute)], ["first", "resolve", "stale"]],
    ["a resolve without a firing is recorded", [resolved(t0, t0 + minute)], ["resolve"]],
    ["a firing that its resolve overtook is stale", [resolved(t0, t0 + minute), firing(t0)], ["resolve", "stale"]],
    [
      "a resolve of the episode before is stale",
      [firing(t0), firing(t0 + 10 * minute), resolved(t0, t0 + 2 * minute)],
      ["first", "refired", "stale"],
    ],
    [
      "a second resolve changes nothing",
      [firing(t0), resolved(t0, t0 + minute), resolved(t0, t0 + minute)],
      ["first", "resolve", "resolve"],
    ],
    [
      "a late replica's start does not make the present start look new",
      [firing(t0 + 60 * minute), firing(t0), firing(t0 + 60 * minute)],
      ["first", "join", "join"],
    ],
  ])("%s", (_name, messages, expected) => {
    expect(kinds(messages)).toEqual(expected);
  });

  it("keeps the earliest start of all replicas", () => {
    expect(play([firing(t0), firing(t0 - minute), firing(t0)]).episode).toMatchObject({
      startsAt: t0 - minute,
      latestStartsAt: t0,
      runId: "run0",
    });
  });

  it("tells the run of its resolve, and again with every repeat, in case it did not hear", () => {
    const { steps } = play([firing(t0), resolved(t0, t0 + minute), resolved(t0, t0 + minute)]);
    expect(steps.map((step) => step.kind === "resolve" && step.runId)).toEqual([false, "run0", "run0"]);
  });

  it("tells nothing to the run of another alert that it had only joined", () => {
    const { episode } = play([firing(t0)]);
    if (episode === undefined) throw new Error("no episode");
    const step = decideEpisode(resolved(t0, t0 + minute), { ...episode, runId: "another" }, { runbookId: "r", now: t0 });
    expect(step).toMatchObject({ kind: "resolve", write: true });
    expect(step).not.toHaveProperty("runId");
  });

  it("starts again while no run was started, as after a refusal", () => {
    const { episode } = play([firing(t0)]);
    if (episode === undefined) throw new Error("no episode");
    const { runId: _none, ownRunId: _neither, ...withoutRun } = episode;
    expect(decideEpisode(firing(t0), withoutRun, { runbookId: "r", now: t0 })).toMatchObject({ kind: "start", why: "not_started" });
  });

  it("writes a repeat only when something moved or a while has passed", () => {
    const { episode } = play([firing(t0)]);
    expect(decideEpisode(firing(t0), episode, { runbookId: "r", now: t0 + touchEveryMs - 1 })).toMatchObject({
      kind: "join",
      write: false,
    });
    expect(decideEpisode(firing(t0), episode, { runbookId: "r", now: t0 + touchEveryMs })).toMatchObject({
      kind: "join",
      write: true,
      episode: { lastSeenAt: t0 + touchEveryMs },
    });
    expect(decideEpisode(firing(t0 - 1), episode, { runbookId: "r", now: t0 + 1 })).toMatchObject({ kind: "join", write: true });
  });

  it("joins when the sender's clock cannot be trusted, and never takes its time for a re-fire", () => {
    const { episode } = play([firing(t0)]);
    const step = decideEpisode(firing(t0 + 60 * minute, "ahead"), episode, { runbookId: "r", now: t0 + 60 * minute });
    expect(step).toMatchObject({ kind: "join", episode: { startsAt: t0, latestStartsAt: t0 } });
  });

  it("counts the episodes of a day and forgets older ones", () => {
    const hour = 60 * minute;
    const flap = (start: number) => [firing(start), resolved(start, start + minute)];
    const { episode } = play([...flap(t0), ...flap(t0 + hour), ...flap(t0 + 2 * hour)]);
    expect(episode?.count).toBe(3);
    expect(play([firing(t0 + 25 * hour)], episode).episode).toMatchObject({ count: 2, recentStarts: [t0 + 2 * hour, t0 + 25 * hour] });
  });
});

/** A legal history of one alert: episodes apart from each other, each seen by two replicas whose clocks differ within the tolerance. */
const history = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 1, max: 30 * minute }),
      length: fc.integer({ min: refireToleranceMs, max: 60 * minute }),
      skew: fc.integer({ min: 0, max: refireToleranceMs }),
      seen: fc.constantFrom("both", "firing", "resolved"),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((spans) => {
    let at = t0;
    return spans.map(({ gap, length, skew, seen }) => {
      const start = at + gap;
      at = start + length;
      return { start, end: at, skew, seen };
    });
  });

const messagesOf = (episodes: readonly { start: number; end: number; skew: number; seen: string }[]) =>
  episodes.flatMap(({ start, end, skew, seen }, id) => [
    ...(seen === "resolved"
      ? []
      : [
          { id, message: firing(start) },
          { id, message: firing(start + skew) },
          { id, message: firing(start) },
        ]),
    ...(seen === "firing"
      ? []
      : [
          { id, message: resolved(start, end) },
          { id, message: resolved(start + skew, end) },
        ]),
  ]);

describe("every legal history", () => {
  it("starts at most one run per episode, whatever is repeated, dropped or reordered", () => {
    const deliveries = history.chain((episodes) => {
      const messages = messagesOf(episodes);
      return fc
        .array(fc.nat({ max: messages.length - 1 }), { maxLength: 40 })
        .map((order) => order.flatMap((index) => messages[index] ?? []));
    });
    fc.assert(
      fc.property(deliveries, (delivered) => {
        const { steps } = play(delivered.map(({ message }) => message));
        const started = delivered.filter((_, index) => steps[index]?.kind === "start").map(({ id }) => id);
        expect(new Set(started).size).toBe(started.length);
      }),
      { numRuns: 2000 },
    );
  });

  it("starts exactly one run per episode when everything arrives in order", () => {
    fc.assert(
      fc.property(history, (episodes) => {
        const whole = messagesOf(episodes.map((episode) => ({ ...episode, seen: "both" })));
        const { steps } = play(whole.map(({ message }) => message));
        const started = whole.filter((_, index) => steps[index]?.kind === "start").map(({ id }) => id);
        expect(started).toEqual(episodes.map((_, id) => id));
      }),
    );
  });

  it("starts nothing from repeats of what was played", () => {
    fc.assert(
      fc.property(history, (episodes) => {
        const messages = messagesOf(episodes).map(({ message }) => message);
        const again = play(messages, play(messages).episode);
        expect(again.steps.filter(({ kind }) => kind === "start")).toEqual([]);
      }),
    );
  });
});
