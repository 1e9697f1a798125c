/** Where a ramp stands. Stage −1 is closed; every other stage is an index into its list of concurrencies. */
export interface RampState {
  readonly stage: number;
  /** Since when the burn was seen under the threshold at this stage without a gap. */
  readonly since: number;
  /** Since when nothing could be seen, or null. */
  readonly unseenSince: number | null;
  readonly stepsBack: number;
  /** Since when it is closed without a look that allowed more, or null while it is open. */
  readonly closedSince: number | null;
}

/** A gate that stays closed so many stages long, and still the burn is over: something spends without asking, and people must know. */
const maxClosedPeriods = 8;

/** What one look shows. */
export interface RampFacts {
  readonly burnRate: "under" | "over" | "unseen";
  /** Spent and reserved money has reached the limit. */
  readonly exhausted: boolean;
  readonly lastStep: number;
  readonly now: number;
}

/** What to do, why, and the state behind it. */
export interface RampMove {
  readonly kind: "advance" | "stay" | "step_back" | "finish" | "ask_limit" | "ask_decision";
  readonly why: string;
  readonly ramp: RampState;
}

/** The beginning: closed, nothing seen yet. */
export function rampStart(now: number): RampState {
  return { stage: -1, since: now, unseenSince: null, stepsBack: 0, closedSince: now };
}

/**
 * Decides one look of a ramp.
 *
 * closed ──under──▶ 0 ──under for a whole stage──▶ 1 ─▶ … ─▶ last ──under for a whole stage──▶ finish.
 * over: one stage back, and closed behind the first; after `stepsBackAllowed` of them it is closed and a person is asked.
 * closed for eight stages without being allowed to open: a person is asked.
 * unseen: never forward; after a whole stage without sight one stage back, which is not held against the allowance.
 * exhausted: closed, and a person is asked.
 */
export function nextRampMove(ramp: RampState, facts: RampFacts, rules: RampRules): RampMove {
  const move = decideRampMove(ramp, facts, rules);
  const closedSince = move.ramp.stage >= 0 ? null : ramp.stage >= 0 ? facts.now : (ramp.closedSince ?? facts.now);
  const next = { ...move, ramp: { ...move.ramp, closedSince } };
  if (move.kind !== "stay" || closedSince === null || facts.now - closedSince < maxClosedPeriods * rules.everyMs) return next;
  return { ...next, kind: "ask_decision", why: `${move.why}, although the gate has been closed for long` };
}

/** Length of a stage, and how often the burn may come back. */
export interface RampRules {
  readonly everyMs: number;
  readonly stepsBackAllowed: number;
}

function decideRampMove(ramp: RampState, facts: RampFacts, rules: RampRules): RampMove {
  const { now } = facts;
  if (facts.exhausted) {
    return { kind: "ask_limit", why: "the budget is exhausted", ramp: { ...ramp, stage: -1, since: now, unseenSince: null } };
  }
  switch (facts.burnRate) {
    case "unseen": {
      const unseenSince = ramp.unseenSince ?? now;
      if (ramp.stage >= 0 && now - unseenSince >= rules.everyMs) {
        return {
          kind: "step_back",
          why: "the burn cannot be seen",
          ramp: { ...ramp, stage: ramp.stage - 1, since: now, unseenSince: now },
        };
      }
      return { kind: "stay", why: "the burn cannot be seen", ramp: { ...ramp, since: now, unseenSince } };
    }
    case "over": {
      if (ramp.stage < 0) return { kind: "stay", why: "the burn is not down yet", ramp: { ...ramp, since: now, unseenSince: null } };
      const stepsBack = ramp.stepsBack + 1;
      if (stepsBack > rules.stepsBackAllowed) {
        return {
          kind: "ask_decision",
          why: "the burn came back too often",
          ramp: { ...ramp, stage: -1, since: now, unseenSince: null, stepsBack },
        };
      }
      return {
        kind: "step_back",
        why: "the burn came back",
        ramp: { ...ramp, stage: ramp.stage - 1, since: now, unseenSince: null, stepsBack },
      };
    }
    case "under": {
      const isStable = ramp.stage < 0 || (ramp.unseenSince === null && now - ramp.since >= rules.everyMs);
      if (!isStable) {
        const since = ramp.unseenSince === null ? ramp.since : now;
        return { kind: "stay", why: "the burn is under the threshold", ramp: { ...ramp, since, unseenSince: null } };
      }
      if (ramp.stage >= facts.lastStep)
        return { kind: "finish", why: "the burn stayed under the threshold", ramp: { ...ramp, unseenSince: null } };
      return {
        kind: "advance",
        why: "the burn is under the threshold",
        ramp: { ...ramp, stage: ramp.stage + 1, since: now, unseenSince: null },
      };
    }
  }
}
