import { z } from "zod";
import type { Rollout } from "../../../../packages/sdk/src/wire/rollouts.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { durationParameter, millisecondsOf } from "../../../actions/parameter-types.ts";
import type { ActionResult } from "../../../core/action.ts";
import { minuteMs } from "../../../core/duration.ts";
import { formatShare } from "../../../core/share.ts";
import { checkGuards } from "../check-guards.ts";
import { findUrgentMove } from "../find-urgent-move.ts";
import { readRolloutFacts } from "../read-rollout-facts.ts";
import { isLive, shareAt } from "../rollout.ts";
import type { RolloutPorts } from "../rollout-ports.ts";
import {
  controlOf,
  describeVariants,
  namesOneSubject,
  oneSubject,
  subjectNameOf,
  subjectParameters,
  targetOfName,
} from "../rollout-subject.ts";
import type { Trial } from "../share-control.ts";

const progressSchema = z.object({
  since: z.number(),
  /** The rollout that was live at the first look; empty while none was. */
  rollout: z.string(),
  /** Whether a person has said that the share stays as it is. */
  kept: z.boolean(),
  headline: z.string(),
  note: z.string(),
});

const answers = ["keep", "take_back"] as const;

const polls = 24;
const minPollMs = 250;
const maxPollMs = 30 * minuteMs;

/** Follows what another run or a person has put on trial. It never takes back what is healthy. */
export const followRollout = defineAction({
  name: "follow-rollout",
  summary:
    "Follows what another run or a person has put on trial at a route, prompt or flag, and changes nothing; `take_back` when its counts show harm or a broken split, or a person wants it.",
  parameters: z
    .strictObject({
      ...subjectParameters,
      for: durationParameter("How long a healthy rollout is followed.").default("1d"),
    })
    .refine(namesOneSubject, oneSubject),
  result: {
    rollout: "id of the rollout, or empty",
    state: "state of the rollout; none when nothing is on trial, unmanaged when a share has no live rollout",
    take_back: "whether new tickets should get the old variant again",
    reason: "why, for people",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 60_000,
  probes: false,
  undoes: false,
  behave(parameters, { rolloutStore, shareControls, prometheus }: RolloutPorts) {
    const watchMs = millisecondsOf(parameters.for);
    return {
      async plan() {
        const target = targetOfName(subjectNameOf(parameters));
        return { summary: `Follow what is on trial at ${target}`, targets: [target], changes: [], reversible: true, data: null };
      },
      async run(_plan, { progress, answer, clock, signal }): Promise<ActionResult> {
        const now = clock.now();
        const before = progress === undefined ? undefined : progressSchema.parse(progress);
        const rollout = await find(before?.rollout);
        const state = { ...(before ?? noProgress), since: before?.since ?? now, rollout: rollout?.id ?? "" };
        const decided = answers.find((one) => one === answer);
        if (decided === "take_back") return end(rollout, true, "a person wants it taken back");
        const kept = state.kept || decided === "keep";
        if (rollout === undefined || !isLive(rollout)) {
          const trial = await readTrial();
          if (trial === undefined) return end(rollout, false, describeEnd(rollout));
          if (kept) return end(rollout, false, "a person wants to keep it");
          return ask(questionOfTrial(trial), state);
        }
        const guard = await checkGuards(rollout.plan.guards, { prometheus, signal });
        const move = findUrgentMove(rollout, await readRolloutFacts(rolloutStore, rollout, now), guard);
        if (move !== undefined) return end(rollout, true, move.detail);
        if (rollout.state === "holding" && !kept) return ask(questionOfHold(rollout), state);
        if (now - state.since >= watchMs) return end(rollout, false, `no harm was seen for ${parameters.for}`);
        const afterMs = Math.max(minPollMs, Math.min(maxPollMs, Math.round(watchMs / polls), state.since + watchMs - now));
        return { kind: "continue", afterMs, progress: { ...state, kept, note: describeHealthy(rollout) }, early: true };
      },
    };

    async function find(id: string | undefined): Promise<Rollout | undefined> {
      return id === undefined || id === "" ? rolloutStore.liveOf(targetOfName(subjectNameOf(parameters))) : rolloutStore.read(id);
    }

    async function readTrial(): Promise<Trial | undefined> {
      const name = subjectNameOf(parameters);
      const trial = await controlOf(shareControls, name.kind).trialOf(name);
      return trial === undefined || trial.share === 0 ? undefined : trial;
    }

    function questionOfTrial({ share, rollout, subject }: Trial): string {
      const { from, to } = describeVariants(subject);
      const setBy = rollout === undefined ? "a person has set that, without a rollout" : `rollout ${rollout}, which set that, is not live`;
      return `${formatShare(share)} of the new tickets of ${targetOfName(subject)} get ${to} instead of ${from}; ${setBy}, so nothing compares them. Answer "keep" to leave it as it is, or "take_back".`;
    }
  },
});

const noProgress = { kept: false, headline: "", note: "" };

function end(rollout: Rollout | undefined, takeBack: boolean, reason: string): ActionResult {
  const state = rollout === undefined ? (reason === nothingOnTrial ? "none" : "unmanaged") : rollout.state;
  return { kind: "done", output: { rollout: rollout?.id ?? "", state, take_back: takeBack, reason } };
}

function ask(question: string, progress: z.output<typeof progressSchema>): ActionResult {
  return { kind: "ask", question, answers: [...answers], progress };
}

const nothingOnTrial = "nothing is on trial";

function describeEnd(rollout: Rollout | undefined): string {
  if (rollout === undefined) return nothingOnTrial;
  const last = rollout.decisions.at(-1);
  return `the rollout is ${rollout.state}${last === undefined ? "" : `: ${last.detail}`}`;
}

function questionOfHold({ id, plan, step, decisions }: Rollout): string {
  const why = decisions.findLast(({ decision }) => decision === "hold")?.detail ?? "No reason is recorded.";
  return `Rollout ${id} is on hold at ${formatShare(shareAt(plan, step))} of new tickets. ${why} Answer "keep" to leave it as it is, or "take_back"; "runbookd rollouts start ${id}" lets it go on.`;
}

function describeHealthy({ id, plan, step, state, runId }: Rollout): string {
  const driver = runId === undefined ? "people drive it" : `run ${runId} drives it`;
  return `rollout ${id} is ${state} at ${formatShare(shareAt(plan, step))} of new tickets and shows no harm; ${driver}`;
}
