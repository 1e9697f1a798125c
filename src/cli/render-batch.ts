import type { Batch, BatchView } from "../../packages/sdk/src/wire/batches.ts";
import { formatUsd } from "../core/money.ts";

/** What a batch does, in one word or two. */
export function stateOf(batch: Batch & Partial<Pick<BatchView, "stop">>): string {
  if (batch.state !== "open") return batch.state;
  if (batch.gate === "paused") return "paused";
  return batch.stop === null || batch.stop === undefined ? "open" : "stopped";
}

/** Tickets by state, empty states left out. */
export function countsOf(batch: Pick<Batch, "counts">): string {
  const counts = Object.entries(batch.counts).filter(([, count]) => count > 0);
  return counts.length === 0 ? "none" : counts.map(([state, count]) => `${count} ${state}`).join(", ");
}

/** Progress in one line: how far, how fast, until when, and for how much. Times are UTC. */
export function progressLine(batch: BatchView, now: number): string {
  const { tickets, ended, perMinute, etaAt, forecastMicroUsd } = batch.progress;
  const parts = [
    `${ended}/${tickets}`,
    stateOf(batch),
    ...(perMinute === null ? [] : [`${perMinute.toFixed(1)}/min`]),
    ...(etaAt === null || ended === tickets ? [] : [`ETA ${new Date(etaAt).toISOString().slice(11, 16)} (${minutes(etaAt - now)})`]),
    `${formatUsd(batch.spentMicroUsd)} of ~${formatUsd(forecastMicroUsd)}`,
    countsOf(batch),
    ...(batch.concurrencyNow === null ? [] : [`at most ${batch.concurrencyNow} at once`]),
    ...(batch.stop === null ? [] : [batch.stop.detail]),
  ];
  return parts.join(" · ");
}

/** The share that has ended as a bar of `width` characters. */
export function progressBar(batch: BatchView, width: number): string {
  const { tickets, ended } = batch.progress;
  const full = tickets === 0 ? 0 : Math.floor((width * ended) / tickets);
  return `[${"#".repeat(full)}${".".repeat(width - full)}]`;
}

function minutes(ms: number): string {
  const rounded = Math.max(0, Math.round(ms / 60_000));
  return rounded < 120 ? `${rounded} min` : `${Math.round(rounded / 60)} h`;
}
