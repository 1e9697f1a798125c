import type { Instant } from "../core/clock.ts";
import { formatUsd, type MicroUsd } from "../core/money.ts";
import type { StepProgress } from "./journal-checks.ts";
import { stages, type Observations } from "./timeline.ts";

/** All that the screen shows. */
export interface DemoView {
  readonly now: Instant;
  readonly beganAt: Instant;
  readonly factor: number;
  readonly seed: number;
  /** What is being done right now, while it is no stage of the loop yet. */
  readonly doing: string;
  readonly seen: Observations;
  /** A sentence beside a stage that was observed. */
  readonly details: { readonly [Key in keyof Observations]?: string };
  readonly money?:
    | {
        readonly spentMicroUsd: MicroUsd;
        readonly limitMicroUsd: MicroUsd;
        /** What the plan would have spent since the beginning. */
        readonly plannedMicroUsd: MicroUsd;
        /** Times the plan, over the shortest window of the rules; absent when Prometheus has no value. */
        readonly burn?: number | undefined;
        /** The rule's threshold. */
        readonly threshold: number;
      }
    | undefined;
  readonly tickets: {
    readonly finished: number;
    readonly running: number;
    readonly waiting: number;
    readonly gate: "open" | "paused" | "unknown";
  };
  readonly steps: readonly (StepProgress & { readonly name: string })[];
  /** Steps of the runbook that the journal does not name yet. */
  readonly stepsToCome: readonly string[];
}

type Paint = (text: string, colour: "dim" | "bold" | "green" | "yellow" | "red" | "cyan") => string;

const codes = { dim: 2, bold: 1, green: 32, yellow: 33, red: 31, cyan: 36 } as const;

/** Colours, or none when `NO_COLOR` is set or the output is no terminal. */
export function createPaint(coloured: boolean): Paint {
  return (text, colour) => (coloured ? `\u001b[${codes[colour]}m${text}\u001b[0m` : text);
}

/** "1:05" since the beginning. */
export function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function bar(share: number, width: number): string {
  const full = Math.max(0, Math.min(width, Math.round(share * width)));
  return "█".repeat(full) + "░".repeat(width - full);
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** The stage that is being waited for. */
export function currentStage(seen: Observations): number {
  const index = stages.findLastIndex(({ key }) => seen[key] !== undefined);
  return index + 1;
}

const stepSigns: Readonly<Record<StepProgress["state"], readonly [string, "green" | "yellow" | "red" | "cyan" | "dim"]>> = {
  running: ["▸", "cyan"],
  waiting: ["…", "cyan"],
  done: ["✔", "green"],
  skipped: ["-", "dim"],
  failed: ["✘", "red"],
  asks: ["?", "yellow"],
};

/** The whole screen as lines of at most `width` characters (colour codes not counted). */
export function renderDemo(view: DemoView, width: number, paint: Paint): readonly string[] {
  const { now, beganAt, seen } = view;
  const turning = spinner[Math.floor(now / 120) % spinner.length] ?? "*";
  const inner = Math.max(40, width);
  const lines = [
    `${paint("runbookd demo", "bold")}  ${elapsed(now - beganAt)}  ${paint(`every duration ÷ ${view.factor}, seed ${view.seed}`, "dim")}`,
    "",
  ];

  const current = currentStage(seen);
  for (const [index, { key, label }] of stages.entries()) {
    const at = seen[key];
    const detail = view.details[key] ?? (index === current ? view.doing : "");
    const time = typeof at === "number" ? elapsed(at - beganAt).padStart(5) : "     ";
    const text = cut(`${label}${detail === "" ? "" : `: ${detail}`}`, inner - 11);
    if (at !== undefined) lines.push(`  ${paint("✔", "green")} ${paint(time, "dim")}  ${text}`);
    else if (index === current) lines.push(`  ${paint(turning, "cyan")} ${time}  ${paint(text, "bold")}`);
    else lines.push(`  ${paint("·", "dim")} ${time}  ${paint(text, "dim")}`);
  }

  lines.push("");
  if (view.money !== undefined) {
    const { spentMicroUsd, limitMicroUsd, plannedMicroUsd, burn, threshold } = view.money;
    const barWidth = Math.max(10, Math.min(40, inner - 60));
    const share = limitMicroUsd === 0 ? 0 : spentMicroUsd / limitMicroUsd;
    const tone = burn !== undefined && burn > threshold ? "red" : "green";
    lines.push(
      `  Budget  ${paint(bar(share, barWidth), tone)}  ${formatUsd(spentMicroUsd)} of ${formatUsd(limitMicroUsd)} (${(share * 100).toFixed(1)} %), plan so far ${formatUsd(plannedMicroUsd)}`,
    );
    const burnText = burn === undefined ? "no data yet" : `${burn.toFixed(1)}× plan`;
    lines.push(`  Burn    ${paint(bar((burn ?? 0) / (threshold * 3), barWidth), tone)}  ${burnText}, the alert needs ${threshold}×`);
  }
  const { finished, running, waiting, gate } = view.tickets;
  const gateText = gate === "paused" ? paint("closed", "yellow") : gate;
  lines.push(`  Tickets ${finished} finished, ${running} in flight, ${waiting} waiting; gate ${gateText}`);

  if (view.steps.length > 0 || seen.run !== undefined) {
    lines.push(
      "",
      `  ${paint("Run", "bold")} ${paint(seen.run ?? "", "dim")}${seen.outcome === undefined ? "" : ` ${paint(seen.outcome, seen.outcome === "succeeded" ? "green" : "red")}`}`,
    );
    for (const { name, state, at } of view.steps) {
      const [sign, colour] = stepSigns[state];
      lines.push(
        `  ${paint(state === "running" || state === "waiting" ? turning : sign, colour)} ${paint(elapsed(at - beganAt).padStart(5), "dim")}  ${cut(name, inner - 11)}`,
      );
    }
    for (const name of view.stepsToCome) lines.push(`  ${paint("·", "dim")}        ${paint(cut(name, inner - 11), "dim")}`);
  }
  return lines;
}
