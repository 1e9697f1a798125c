import { parseRecord } from "../../src/core/journal.ts";
import { mailLane } from "../../src/core/outbox.ts";
import { quantile } from "../statistics.ts";
import type { History, NoticeOutcome, Violations } from "./history.ts";

/** Clocks of one machine that were read in different processes. */
const clockSlackMs = 5;

/** Nothing is accepted, claimed or begun while the store is unfit. */
export function untouchedWhileUnfit({ unfit, accepted, runs, arrivals, writes, storeClocks }: History): Violations {
  return unfit.flatMap(({ from, to, setting, runs: keys }) => {
    const isWithin = (at: number) => at > from + clockSlackMs && at < to - clockSlackMs;
    return [
      ...keys.map((key) => `${key} was written to a Redis with ${setting}`),
      ...accepted
        .filter(({ askedAt, answeredAt }) => isWithin(askedAt) && isWithin(answeredAt))
        .map(({ fingerprint }) => `${fingerprint} was answered 202 by a Redis with ${setting}`),
      ...runs.flatMap(({ id, entries }) =>
        entries
          .filter(({ kind, epoch }) => kind === "claimed" && timesOf(epoch ?? 0, storeClocks).some(isWithin))
          .map(() => `${id} was claimed in a Redis with ${setting}`),
      ),
      ...begun(runs, [...arrivals, ...writes.filter(({ kind }) => kind !== "planted")]).flatMap(({ id, entry, at }) =>
        isWithin(entry.at) && at < to ? [`${id}: what follows ${entry.kind} of ${entry.step} was begun with a Redis with ${setting}`] : [],
      ),
    ];
  });
}

/**
 * The machine's times at which the store may have given an epoch, which is its time then. The entry of the claim is younger: a process that was frozen
 * records it when it goes on.
 */
function timesOf(epoch: number, storeClocks: History["storeClocks"]): readonly number[] {
  return storeClocks.flatMap(({ from, offsetMs }, index) => {
    const at = epoch - offsetMs;
    return at >= from && at < (storeClocks[index + 1]?.from ?? Number.POSITIVE_INFINITY) ? [at] : [];
  });
}

/**
 * The intents after which something arrived at the target, with its time. An intent that was on its way when Redis was lost may be written to the next
 * one, whatever its settings are; nothing may follow it there.
 */
function begun(runs: History["runs"], arrived: readonly { readonly run: string; readonly step: string; readonly at: number }[]) {
  return runs.flatMap(({ id, entries }) =>
    entries.flatMap((entry) => {
      if (entry.kind !== "intent" && entry.kind !== "undo_intent") return [];
      const next = arrived.find(({ run, step, at }) => run === id && step === entry.step && at > entry.at);
      return next === undefined ? [] : [{ id, entry, at: next.at }];
    }),
  );
}

/** How long a name may have two owners after Redis' clock was set: until each has looked. */
const namesSettleMs = 20_000;
/** A name ends when it is not renewed, which is impossible while Redis cannot be written. */
const nameLeaseMs = 15_000;
const nameRenewedEveryMs = 3000;

/** No worker takes the name of one that lives and can renew it. A clock of Redis that is set makes names end early; a worker that loses its name ends. */
export function distinctNames({ names, storeClocks, outages }: History): Violations {
  const byTime = names.toSorted((a, b) => a.from - b.from);
  const wasClockSet = (at: number) => storeClocks.slice(1).some(({ from }) => from <= at && at - from < namesSettleMs);
  const couldRenew = (at: number) => overlapMs(outages, at - nameLeaseMs, at) < nameLeaseMs - 2 * nameRenewedEveryMs;
  return byTime.flatMap((one, index) =>
    byTime
      .slice(index + 1)
      .filter((other) => other.name === one.name && other.from + clockSlackMs < one.to)
      .filter((other) => !wasClockSet(other.from) && couldRenew(other.from))
      .map((other) => `processes ${one.pid} and ${other.pid} had the name ${one.name} together`),
  );
}

function overlapMs(times: readonly { readonly from: number; readonly to: number }[], from: number, to: number): number {
  return times.reduce((sum, time) => sum + Math.max(0, Math.min(time.to, to) - Math.max(time.from, from)), 0);
}

/** A redis-server of our own ends with its parent, or before the next one starts. */
export function noOrphans({ orphanings }: History): Violations {
  return orphanings.flatMap(({ pid, isBound, endedAlone, livedBesideNext }) => [
    ...(isBound && !endedAlone ? [`the redis-server ${pid} went on without its parent`] : []),
    ...(livedBesideNext ? [`the redis-server ${pid} lived beside the next one of its folder`] : []),
  ]);
}

/** With fewer notifications their median says nothing. */
const enough = 5;
const otherLaneLimitMs = 3000;

/** Milliseconds from question to delivery, without the time in which Redis could not be written, of what other lanes had to tell while mails trickled. */
export function delaysBesideMails({ notices, trickles, outages }: Pick<History, "notices" | "trickles" | "outages">): readonly number[] {
  const during = notices.filter(({ lane, putAt }) => lane !== mailLane && trickles.some(({ from, to }) => putAt >= from && putAt <= to));
  return during.flatMap(({ putAt, arrivedAt }) => {
    if (arrivedAt === undefined) return [];
    return [Math.max(0, arrivedAt - putAt - overlapMs(outages, putAt, arrivedAt))];
  });
}

/** Every notification is delivered or named as given up, and no other lane waits for a mail server. */
export function allNotified(history: History): Violations {
  const delays = delaysBesideMails(history);
  const median = delays.length < enough ? 0 : quantile(delays, 0.5);
  return [
    ...history.notices.flatMap(endOf),
    ...(median > otherLaneLimitMs ? [`other lanes took ${median} ms (median) while the mail server trickled`] : []),
  ];
}

function endOf({ key, lane, state, arrivedAt }: NoticeOutcome): readonly string[] {
  if (state === "waiting") return [`${key} in the lane ${lane} still waits`];
  return state === "sent" && arrivedAt === undefined ? [`${key} in the lane ${lane} was sent and never arrived`] : [];
}

/** A process reads the clock of Redis every 30 s; between two readings it may not know that it was set. */
const readsClockWithinMs = 35_000;
const clockErrorMs = 1000;

/** What is written has the time of the store, whatever the clock of a host says. */
export function timesOfTheStore({ runs, storeClocks }: History): Violations {
  return runs.flatMap(({ id, texts, entries }) => {
    const asWritten = texts.flatMap(parseRecord);
    return entries.flatMap((entry, index) => {
      // Whose clock it was is known of what a worker has written.
      if (entry.epoch === undefined) return [];
      const written = asWritten[index]?.at ?? Number.NaN;
      const offset = written - entry.at;
      const isOfStore = storeClocks.some(({ from, offsetMs }, nth) => {
        const to = storeClocks[nth + 1]?.from ?? Number.POSITIVE_INFINITY;
        return from <= entry.at && to > entry.at - readsClockWithinMs && Math.abs(offset - offsetMs) <= clockErrorMs;
      });
      return isOfStore || storeClocks.length === 0
        ? []
        : [`${id}: ${entry.kind} has a time that is off the machine's by ${offset} ms, and no clock of the store was`];
    });
  });
}
