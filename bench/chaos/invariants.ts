import { genesisHead, nextHead } from "../../src/core/journal.ts";
import { allNotified, distinctNames, noOrphans, timesOfTheStore, untouchedWhileUnfit } from "./edge-invariants.ts";
import type { Arrival, History, RunRecord, Violations } from "./history.ts";

/** What must be true of a history, one pure function each, by the names of the durability promises and of the faults in docs/faults.md. */
export const invariants: Readonly<Record<string, { readonly says: string; readonly check: (history: History) => Violations }>> = {
  I1: { says: "every accepted alert has a run that ended or waits for a person", check: accountedFor },
  I2: {
    says: "keyed, set and probed effects are applied once; opaque ones are attempted once unless a person says retry",
    check: onceOnly,
  },
  I3: { says: "effects of a run appear in the order of its steps, and none after its end", check: inOrder },
  I4: { says: "epochs never go back, and no step is attempted after it was completed", check: neverBack },
  I5: { says: "refused writes changed nothing: the chain of the journal is the projection's", check: untouched },
  I6: { says: "no effect that needs a permission without one for exactly its plan", check: permitted },
  I7: { says: "runs on one target do not overlap", check: oneAtATime },
  I8: { says: "no more effects in a window than its limit", check: withinLimit },
  I9: {
    says: "an undo has its intent, happens once per step, puts back what was there before, and overwrites nobody else's value",
    check: (history) => [...undoneOnce(history), ...putBack(history)],
  },
  I10: { says: "every effect has an intent before it", check: intended },
  G11: { says: "no intent is written while the kill switch stands, and no undo that it forbids", check: heldBack },
  R16: { says: "nothing is accepted, claimed or begun while the store is unfit", check: untouchedWhileUnfit },
  P02: { says: "no worker takes the name of one that lives, also across PID namespaces", check: distinctNames },
  R20: { says: "a redis-server of our own ends with its parent, or before the next one starts", check: noOrphans },
  E02: { says: "each notification is delivered or given up by name, and no lane waits for the mail server", check: allNotified },
  F09: { says: "a journal has the time of the store, whatever the clock of a host says", check: timesOfTheStore },
};

/** Clocks of one machine that were read in different processes. */
const clockSlackMs = 5;
const repeatable = new Set(["keyed", "set", "probed"]);

function accountedFor({ accepted, runs }: History): Violations {
  const known = new Map(runs.map((run) => [run.id, run]));
  return accepted.flatMap(({ fingerprint, runId }) => {
    const run = known.get(runId);
    if (run === undefined) return [`${fingerprint} was answered 202 and its run ${runId} is gone`];
    const isWaiting = (run.state === "suspended" || run.state === "in_doubt") && hasOpenQuestion(run);
    return run.state === "ended" || isWaiting ? [] : [`${runId} of ${fingerprint} is still ${run.state}`];
  });
}

function hasOpenQuestion({ entries }: RunRecord): boolean {
  const answered = new Set(entries.flatMap((entry) => (entry.kind === "answered" ? [entry.questionId] : [])));
  return entries.some((entry) => entry.kind === "asked" && !answered.has(entry.question.id));
}

/** Applications beyond the first. */
export function duplicatesOf(arrivals: readonly Arrival[]): readonly Arrival[] {
  const seen = new Set<string>();
  return arrivals.filter(({ run, step, effect, applied }) => {
    if (!applied || !repeatable.has(effect)) return false;
    const identity = `${run} ${step}`;
    const again = seen.has(identity);
    seen.add(identity);
    return again;
  });
}

/** How long after SIGCONT a process may still send what it was about to send. */
const thawMs = 500;

/**
 * The documented residual of probed effects: a process that was frozen exactly between its intent and its first byte sends when it thaws,
 * after another has asked the target and found nothing. Flagged only when one of the two senders was frozen in just that interval.
 */
export function residualsOf({ arrivals, freezes, runs }: History): readonly Arrival[] {
  const known = new Map(runs.map((run) => [run.id, run]));
  const thawed = ({ run, step, pid, at }: Arrival): boolean =>
    freezes.some(
      (freeze) =>
        freeze.pid === pid &&
        freeze.from <= at &&
        at <= freeze.to + thawMs &&
        (known.get(run)?.entries ?? []).some((entry) => entry.kind === "intent" && entry.step === step && entry.at <= freeze.to),
    );
  return duplicatesOf(arrivals).filter(
    (twin) => twin.effect === "probed" && arrivals.some((one) => one.run === twin.run && one.step === twin.step && thawed(one)),
  );
}

/** Attempts of opaque effects beyond the first and beyond what people ordered. */
export function unorderedAttempts({ arrivals, runs }: History): readonly string[] {
  return runs.flatMap((run) =>
    [...new Set(arrivals.filter((one) => one.run === run.id && one.effect === "once").map(({ step }) => step))].flatMap((step) => {
      const attempts = arrivals.filter((one) => one.run === run.id && one.step === step).length;
      const orders = run.entries.filter((entry) => entry.kind === "answered" && entry.answer.answer === "retry").length;
      return attempts > 1 + orders ? [`${run.id} ${step}: ${attempts} attempts, ${orders} ordered by a person`] : [];
    }),
  );
}

function onceOnly(history: History): Violations {
  const residuals = new Set(residualsOf(history));
  const twice = duplicatesOf(history.arrivals).filter((one) => !residuals.has(one));
  return [...twice.map(({ run, step, effect }) => `${effect} ${step} of ${run} was applied again`), ...unorderedAttempts(history)];
}

function inOrder({ runs, arrivals }: History): Violations {
  return runs.flatMap((run) => {
    const firsts = [...new Set(arrivals.filter((one) => one.run === run.id).map(({ step }) => step))];
    const steps = [...new Set(run.entries.flatMap((entry) => (entry.kind === "intent" ? [entry.step] : [])))];
    const expected = steps.filter((step) => firsts.includes(step));
    const wrong = firsts.filter((step) => steps.includes(step)).join() === expected.join() ? [] : [`${run.id}: ${firsts.join(", ")}`];
    const end = run.entries.find((entry) => entry.kind === "finished")?.at ?? Number.POSITIVE_INFINITY;
    const late = arrivals.filter((one) => one.run === run.id && one.applied && one.effect !== "probed" && one.at > end);
    return [...wrong, ...late.map(({ step }) => `${step} of ${run.id} was applied after the end of the run`)];
  });
}

function neverBack({ runs }: History): Violations {
  return runs.flatMap(({ id, entries }) => {
    const found: string[] = [];
    const completed = new Set<string>();
    let epoch = 0;
    for (const entry of entries) {
      if (entry.epoch !== undefined && entry.epoch < epoch) found.push(`${id}: epoch ${entry.epoch} wrote ${entry.kind} after ${epoch}`);
      epoch = Math.max(epoch, entry.epoch ?? 0);
      if (entry.kind === "intent" && completed.has(entry.step)) found.push(`${id}: ${entry.step} is attempted after it was completed`);
      if (entry.kind !== "completed") continue;
      if (completed.has(entry.step)) found.push(`${id}: ${entry.step} is completed twice`);
      completed.add(entry.step);
    }
    return found;
  });
}

function headOf({ texts }: RunRecord): string {
  return texts.reduce((head, text) => nextHead(head, text), genesisHead);
}

function untouched({ runs }: History): Violations {
  return runs.flatMap((run) => (headOf(run) === run.head ? [] : [`${run.id}: the chain of its ${run.texts.length} entries is broken`]));
}

function permitted({ runs, needsApproval }: History): Violations {
  return runs.flatMap(({ id, entries }) => {
    const asked = new Map<string, { readonly step: string; readonly planSha: string | undefined }>();
    const allowed = new Set<string>();
    return entries.flatMap((entry) => {
      if (entry.kind === "asked" && entry.question.kind === "approve")
        asked.set(entry.question.id, { step: entry.question.stepId, planSha: entry.question.planSha });
      if (entry.kind === "answered" && entry.answer.answer === "approve") {
        const question = asked.get(entry.questionId);
        if (question !== undefined) allowed.add(`${question.step} ${question.planSha}`);
      }
      const needs = entry.kind === "intent" && needsApproval.includes(entry.step);
      return needs && !allowed.has(`${entry.step} ${entry.planSha}`) ? [`${id}: ${entry.step} had no permission`] : [];
    });
  });
}

function oneAtATime({ runs }: History): Violations {
  const spans = runs.flatMap(({ id, target, entries }) => {
    const from = entries.find(({ kind }) => kind === "intent")?.at;
    return from === undefined
      ? []
      : [{ id, target, from, to: entries.find(({ kind }) => kind === "finished")?.at ?? Number.POSITIVE_INFINITY }];
  });
  return spans.flatMap((one, index) =>
    spans
      .slice(index + 1)
      .filter((other) => other.target === one.target && one.from + clockSlackMs < other.to && other.from + clockSlackMs < one.to)
      .map((other) => `${one.id} and ${other.id} were at ${one.target} together`),
  );
}

/** The bucket's window begins with its first claim, so any window of that length meets at most two of them. */
function withinLimit({ runs, limit }: History): Violations {
  const steps = new Set<string>();
  const times = runs
    .flatMap(({ id, entries }) =>
      entries.flatMap((entry) => {
        if (entry.kind !== "intent") return [];
        // The intent of an attempt that is taken up again takes no claim again.
        const attempt = `${id} ${entry.step} ${entry.attempt}`;
        const isFirst = !steps.has(attempt);
        steps.add(attempt);
        return isFirst ? [entry.at] : [];
      }),
    )
    .sort((a, b) => a - b);
  const worst = times.map((from, index) => times.slice(index).filter((at) => at < from + limit.windowMs).length);
  const most = Math.max(0, ...worst);
  return most > 2 * limit.max ? [`${most} effects within ${limit.windowMs} ms, the limit is ${limit.max}`] : [];
}

function undoneOnce({ runs }: History): Violations {
  return runs.flatMap(({ id, entries }) => {
    const intents = new Set<string>();
    const undone = new Set<string>();
    return entries.flatMap((entry) => {
      if (entry.kind === "undo_intent") {
        if (undone.has(entry.step)) return [`${id}: the undo of ${entry.step} begins again`];
        intents.add(entry.step);
      }
      if (entry.kind !== "undone") return [];
      const wrong = undone.has(entry.step)
        ? [`${id}: ${entry.step} is undone twice`]
        : entry.note === undefined && !intents.has(entry.step)
          ? [`${id}: ${entry.step} is undone without an intent`]
          : [];
      undone.add(entry.step);
      return wrong;
    });
  });
}

function intended({ runs, arrivals }: History): Violations {
  const intents = new Map<string, number>();
  for (const { id, entries } of runs) {
    for (const entry of entries)
      if (entry.kind === "intent" && !intents.has(`${id} ${entry.step}`)) intents.set(`${id} ${entry.step}`, entry.at);
  }
  return arrivals.flatMap(({ run, step, at }) => {
    const intent = intents.get(`${run} ${step}`);
    return intent !== undefined && intent <= at + clockSlackMs ? [] : [`${step} of ${run} reached the target without an intent`];
  });
}

/** Looks only at the target's own log. */
function putBack({ writes, runs }: History): Violations {
  const wrong = writes.flatMap((write, index) => {
    if (write.kind !== "undo" || !write.applied) return [];
    const own = writes
      .slice(0, index)
      .findLast((one) => one.kind === "set" && one.name === write.name && one.run === write.run && one.applied);
    const foreign = write.found !== write.run;
    return [
      ...(foreign ? [`the undo of ${write.step} by ${write.run} overwrote ${write.found}, which it had not set`] : []),
      ...(own !== undefined && own.found !== write.to ? [`${write.run} put ${write.name} back to ${write.to}; it was ${own.found}`] : []),
    ];
  });
  const left = runs.flatMap(({ id, entries }) => {
    if (!entries.some((entry) => entry.kind === "finished" && entry.outcome === "undone")) return [];
    const given = new Set(entries.flatMap((entry) => (entry.kind === "undone" && entry.note !== undefined ? [entry.step] : [])));
    const names = new Set(writes.flatMap(({ kind, run, name, step }) => (kind === "set" && run === id && !given.has(step) ? [name] : [])));
    return [...names]
      .filter((name) => writes.findLast((write) => write.name === name && write.applied)?.to === id)
      .map((name) => `${id} ended undone and its value of ${name} is still there`);
  });
  return [...wrong, ...left];
}

function heldBack({ runs, killSwitches }: History): Violations {
  return runs.flatMap(({ id, entries }) =>
    entries.flatMap((entry) => {
      if (entry.kind !== "intent" && entry.kind !== "undo_intent") return [];
      const stood = killSwitches.some(
        ({ from, to, undo }) => entry.at > from + clockSlackMs && entry.at < to - clockSlackMs && !(entry.kind === "undo_intent" && undo),
      );
      return stood ? [`${id}: ${entry.kind} of ${entry.step} was written while everything was frozen`] : [];
    }),
  );
}
