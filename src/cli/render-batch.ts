import { formatUsd } from "../core/money.ts";
import type { BatchShape } from "./api-shapes.ts";

/** What a batch does, in one word or two. */
export function stateOf(batch: BatchShape): string {
  if (batch.state !== "open") return batch.state;
  if (batch.gate === "paused") return "paused";
  return batch.stop === null || batch.stop === undefined ? "open" : "stopped";
}

/** Tickets by state, empty states left out. */
export function countsOf(batch: BatchShape): string {
  const counts = Object.entries(batch.counts).filter(([, count]) => count > 0);
  return counts.length === 0 ? "none" : counts.map(([state, count]) => `${count} ${state}`).join(", ");
}

/** Progress in one line: how far, how fast, until when, and for how much. Times are UTC. */
export function progressLine(batch: BatchShape, now: number): string {
  const { progress } = batch;
  if (progress === undefined) return `${stateOf(batch)} · ${countsOf(batch)}`;
  const { tickets, ended, perMinute, etaAt, forecastMicroUsd } = progress;
  const parts = [
    `${ended}/${tickets}`,
    stateOf(batch),
    ...(perMinute === null ? [] : [`${perMinute.toFixed(1)}/min`]),
    ...(etaAt === null || ended === tickets ? [] : [`ETA ${new Date(etaAt).toISOString().slice(11, 16)} (${minutes(etaAt - now)})`]),
    `${formatUsd(batch.spentMicroUsd)} of ~${formatUsd(forecastMicroUsd)}`,
    countsOf(batch),
    ...(batch.concurrencyNow === null ? [] : [`at most ${batch.concurrencyNow} at once`]),
    ...(batch.stop === null || batch.stop === undefined ? [] : [batch.stop.detail]),
  ];
  return parts.join(" · ");
}

/** The share that has ended as a bar of `width` characters. */
export function progressBar(batch: BatchShape, width: number): string {
  const { tickets = 0, ended = 0 } = batch.progress ?? {};
  const full = tickets === 0 ? 0 : Math.floor((width * ended) / tickets);
  return `[${"#".repeat(full)}${".".repeat(width - full)}]`;
}

function minutes(ms: number): string {
  const rounded = Math.max(0, Math.round(ms / 60_000));
  return rounded < 120 ? `${rounded} min` : `${Math.round(rounded / 60)} h`;
}
