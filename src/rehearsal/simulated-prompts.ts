import type { CacheAnalysis, CacheAnalysisResult } from "../../packages/sdk/src/wire/caches.ts";
import { promptLayoutSchema } from "../../packages/sdk/src/wire/prompt-layout.ts";
import type { NewPromptVersion } from "../../packages/sdk/src/wire/prompts.ts";
import type { Clock } from "../core/clock.ts";
import { dayMs, minuteMs } from "../core/duration.ts";
import { oneUsd } from "../core/money.ts";
import { formatShare } from "../core/share.ts";
import type { CacheAnalysisReader } from "../llm/caching/cache-analysis-reader.ts";
import type { VersionMeasure } from "../llm/caching/compare-versions.ts";
import { type PromptStore, productionLabel } from "../llm/prompts/prompt.ts";
import type { PromptRolloutStore } from "../llm/prompts/prompt-rollout-store.ts";
import type { Evaluator } from "../llm/rollouts/evaluator.ts";
import { createMemoryPromptRollouts, createMemoryPrompts } from "./memory-prompts.ts";
import type { SimulatedPrompt } from "./rehearsal.ts";

/** How long the application takes to work on the tickets of an evaluation. */
const evaluationMs = 5 * minuteMs;
/** Tickets of the version before that were seen when the alert came. */
const baselineTickets = 200;
const inputPerRequest = 1000;

/** The prompts of a rehearsal with everything that acts on them. */
export interface SimulatedPrompts {
  readonly prompts: PromptStore;
  readonly rollouts: PromptRolloutStore;
  readonly cache: CacheAnalysisReader;
  readonly evaluator: Evaluator;
}

/**
 * Prompts as badly laid out as prompts get: a clock first, tools in any order, the ticket before the guide. A version that is drafted of one reads what the
 * rehearsal says. `changed` hears every change as one line.
 */
export function createSimulatedPrompts(
  written: readonly SimulatedPrompt[],
  clock: Pick<Clock, "now">,
  changed: (line: string) => void,
): SimulatedPrompts {
  const inner = createMemoryPrompts(
    clock,
    written.map(({ name }) => ({ name, version: shipped() })),
  );
  const rollouts = createMemoryPromptRollouts();
  const given = new Map<string, { from: number; share: number }>();
  const evaluations = new Map<string, { readonly from: number; readonly prompt: string; readonly tickets: number }>();
  const find = (name: string) => written.find((prompt) => prompt.name === name);

  const prompts: PromptStore = {
    ...inner,
    async create(prompt, version, by) {
      const before = (await inner.read(prompt))?.latest ?? 0;
      const made = await inner.create(prompt, version, by);
      if (made.version > before) changed(`prompt/${prompt}: version ${made.version} from ${made.parent ?? "nothing"}`);
      return made;
    },
    async moveLabel(move) {
      const result = await inner.moveLabel(move);
      if (result.kind === "moved" && move.label === productionLabel && result.before !== result.after) {
        changed(`prompt/${move.prompt}: ${move.label} ${result.before ?? "none"} -> ${result.after ?? "none"}`);
        if (result.after !== 1) given.set(move.prompt, { from: clock.now(), share: 1 });
      }
      return result;
    },
  };

  return {
    prompts,
    rollouts: {
      read: async (prompt) => rollouts.read(prompt),
      async compareAndSet(prompt, expected, next) {
        const result = await rollouts.compareAndSet(prompt, expected, next);
        const text = (share: number | undefined) => (share === undefined ? "none" : formatShare(share, { decimals: 0 }));
        if (result.set && expected?.share !== next?.share) {
          changed(`prompt/${prompt}: canary ${text(expected?.share)} -> ${text(next?.share)}`);
          if (next !== null) given.set(prompt, { from: clock.now(), share: next.share });
        }
        return result;
      },
    },
    cache: {
      list: async () =>
        written.map((prompt) => ({ prompt: prompt.name, provider: prompt.provider, model: prompt.model, reply: resultOf(prompt) })),
      async analyze({ prompt, provider, model }) {
        const simulated = find(prompt);
        if (simulated !== undefined && simulated.provider === provider && simulated.model === model) return resultOf(simulated);
        return { kind: "missing", reason: "too_few_samples", sentence: "There are no samples of this prompt." };
      },
      async measure({ prompt }, { from }) {
        const simulated = find(prompt);
        if (simulated === undefined) return [];
        const baseline = measured({ version: "1", hit: simulated.hit, tickets: baselineTickets, costPerRequestMicroUsd: inputPerRequest });
        const rollout = given.get(prompt);
        if (rollout === undefined) return [baseline];
        const minutes = (clock.now() - Math.max(from, rollout.from)) / minuteMs;
        const tickets = Math.floor(minutes * simulated.ticketsPerMinute * rollout.share);
        const isPromoted = ((await inner.read(prompt))?.labels[productionLabel] ?? 1) > 1;
        const hit = isPromoted ? simulated.promotedHit : simulated.canaryHit;
        if (tickets === 0) return [baseline];
        const costPerRequestMicroUsd = inputPerRequest * simulated.costRatio;
        return [baseline, measured({ version: "2", hit, tickets, costPerRequestMicroUsd })];
      },
    },
    evaluator: {
      async start({ subject, tickets }, key) {
        if (subject.kind !== "prompt") throw new Error("This evaluator only knows prompts.");
        const { prompt } = subject;
        if (!evaluations.has(key)) {
          evaluations.set(key, { from: clock.now(), prompt, tickets });
          changed(`prompt/${prompt}: ${tickets} tickets are worked on with both versions`);
        }
        return { id: key };
      },
      async read(id) {
        const evaluation = evaluations.get(id);
        if (evaluation === undefined) return { kind: "failed", reason: "there is no such evaluation" };
        const { tickets, prompt } = evaluation;
        if (clock.now() < evaluation.from + evaluationMs) return { kind: "running", done: 0, of: tickets };
        const worse = find(prompt)?.worseAnswers ?? 0;
        return {
          kind: "done",
          pairs: Array.from({ length: tickets }, (_, index) => ({
            ticketId: `ticket-${index}`,
            baseline: { quality: 1, costMicroUsd: inputPerRequest },
            candidate: { quality: index < worse ? 0 : 1, costMicroUsd: inputPerRequest },
          })),
        };
      },
      stop: async (id) => void evaluations.delete(id),
    },
  };

  function resultOf(prompt: SimulatedPrompt): CacheAnalysisResult {
    return { kind: "analysed", analysis: analysisOf(prompt) };
  }
}

function measured(counted: Pick<VersionMeasure, "version" | "hit" | "tickets" | "costPerRequestMicroUsd">): VersionMeasure {
  return { ...counted, requests: counted.tickets * 5, ...(counted.tickets > 1 && { costLogVariance: 0 }) };
}

function shipped(): NewPromptVersion {
  const layout = promptLayoutSchema.parse({
    layers: [
      { key: "tools", role: "tools", stability: "static", render: "{{tools}}" },
      { key: "clock", role: "system", stability: "static", render: "Current time: {{clock}}" },
      { key: "rules", role: "system", stability: "static", render: "{{rules}}" },
      { key: "ticket", role: "user", stability: "static", render: "{{ticket}}" },
      { key: "guide", role: "user", stability: "static", render: "{{guide}}" },
      { key: "history", role: "user", stability: "turn", render: "" },
    ],
    breakpoints: [{ afterLayer: "history", ttl: "5m" }],
  });
  return { layout, origin: "human", note: "" };
}

function analysisOf(prompt: SimulatedPrompt): CacheAnalysis {
  const cause = { risk: "low", evidence: {}, hitAfter: prompt.predictedHit, savedAfterMicroUsdPerDay: 0 } as const;
  const unit = (name: string, stability: CacheAnalysis["units"][number]["stability"], tokens: number) => ({
    unit: name,
    stability,
    tokens,
    presence: 1,
    distinctContents: 1,
  });
  return {
    requests: 500,
    contradictory: 0,
    spanMs: dayMs,
    calibration: {
      verdict: prompt.blocked === "uncalibrated" ? "refused" : "calibrated",
      sentence:
        prompt.blocked === "uncalibrated"
          ? "The replay is 12 percentage points off what was measured."
          : "The replay tells what was measured.",
      measuredHit: prompt.hit,
      predictedHit: prompt.hit,
      reliability: 1,
      errorPoints: 0,
    },
    measuredHit: prompt.hit,
    achievableHit: prompt.achievable,
    costPerDay: Math.round(prompt.lostUsdPerDay * 1.2 * oneUsd),
    lostPerDay: Math.round(prompt.lostUsdPerDay * oneUsd),
    causes: [
      { ...cause, unit: "tools", class: "order_noise", transform: "T1", sentence: "The same tools come in 24 orders." },
      { ...cause, unit: "clock", class: "volatile_span", transform: "T2", sentence: "A time in clock changes and ends the prefix." },
      {
        ...cause,
        unit: "ticket",
        class: "scope_order",
        transform: "T3",
        sentence: "ticket differs between tickets and stands before what is shared more widely.",
      },
    ],
    transforms: ["T1", "T2", "T3", "markers"],
    markers: [
      { after: "guide", ttl: "1h" },
      { after: "history", ttl: "5m" },
    ],
    predictedHit: prompt.predictedHit,
    predictedCostPerDay: Math.round(prompt.lostUsdPerDay * 0.2 * oneUsd),
    units: [
      unit("tools", "static", 3200),
      unit("clock", "request", 30),
      unit("rules", "static", 2600),
      unit("ticket", "ticket", prompt.ticketTokens),
      unit("guide", "repo", 13_000),
      unit("history", "turn", 6000),
    ],
    promptTokens: 25_000,
    ...(prompt.blocked !== undefined && { blocked: prompt.blocked }),
  };
}
