import type { Instant } from "../src/core/clock.ts";
import type { StepProgress } from "./journal-checks.ts";

/** One thing that the demo waits to see. */
export interface ShownMilestone {
  readonly key: string;
  readonly label: string;
  /** When it was seen; `true`: seen, at no particular moment; absent: not yet. */
  readonly reached?: Instant | boolean | undefined;
  /** A sentence beside it. */
  readonly detail?: string | undefined;
}

/** One line of figures, with a bar when it is a share of something. */
export interface Gauge {
  readonly label: string;
  /** 0 to 1; what is outside is drawn full or empty. */
  readonly share?: number;
  readonly tone?: "green" | "yellow" | "red";
  readonly text: string;
}

/** All that the screen shows. */
export interface DemoView {
  readonly now: Instant;
  readonly beganAt: Instant;
  readonly factor: number;
  readonly seed: number;
  /** What is being done right now, while it is no stage yet. */
  readonly doing: string;
  /** In order. */
  readonly milestones: readonly ShownMilestone[];
  readonly gauges: readonly Gauge[];
  readonly run?: { readonly id: string; readonly outcome?: string | undefined } | undefined;
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

/** Whether a stage was seen. */
export function isReached({ reached }: Pick<ShownMilestone, "reached">): boolean {
  return reached !== undefined && reached !== false;
}

function bar(share: number, width: number): string {
  const full = Math.max(0, Math.min(width, Math.round(share * width)));
  return "█".repeat(full) + "░".repeat(width - full);
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

const stepSigns: Readonly<Record<StepProgress["state"], readonly [string, "green" | "yellow" | "red" | "cyan" | "dim"]>> = {
  running: ["▸", "cyan"],
  waiting: ["…", "cyan"],
  done: ["✔", "green"],
  skipped: ["-", "dim"],
  failed: ["✘", "red"],
  asks: ["?", "yellow"],
};

/** The whole screen as lines of at most `width` characters (colour codes not counted; gauges are left whole). */
export function renderDemo(view: DemoView, width: number, paint: Paint): readonly string[] {
  const { now, beganAt, milestones } = view;
  const turning = spinner[Math.floor(now / 120) % spinner.length] ?? "*";
  const inner = Math.max(40, width);
  const lines = [
    `${paint("runbookd demo", "bold")}  ${elapsed(now - beganAt)}  ${paint(`every duration ÷ ${view.factor}, seed ${view.seed}`, "dim")}`,
    "",
  ];

  // The stage that is being waited for.
  const current = milestones.findLastIndex(isReached) + 1;
  for (const [index, milestone] of milestones.entries()) {
    const detail = milestone.detail ?? (index === current ? view.doing : "");
    const time = typeof milestone.reached === "number" ? elapsed(milestone.reached - beganAt).padStart(5) : "     ";
    const text = cut(`${milestone.label}${detail === "" ? "" : `: ${detail}`}`, inner - 11);
    if (isReached(milestone)) lines.push(`  ${paint("✔", "green")} ${paint(time, "dim")}  ${text}`);
    else if (index === current) lines.push(`  ${paint(turning, "cyan")} ${time}  ${paint(text, "bold")}`);
    else lines.push(`  ${paint("·", "dim")} ${time}  ${paint(text, "dim")}`);
  }

  lines.push("");
  const barWidth = Math.max(10, Math.min(40, inner - 60));
  for (const { label, share, tone, text } of view.gauges) {
    const drawn = share === undefined ? "" : `${paint(bar(share, barWidth), tone ?? "green")}  `;
    lines.push(`  ${label.padEnd(7)} ${drawn}${share === undefined && tone !== undefined ? paint(text, tone) : text}`);
  }

  if (view.steps.length > 0 || view.run !== undefined) {
    const { id = "", outcome } = view.run ?? {};
    const ended = outcome === undefined ? "" : ` ${paint(outcome, outcome === "succeeded" ? "green" : "red")}`;
    lines.push("", `  ${paint("Run", "bold")} ${paint(id, "dim")}${ended}`);
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
