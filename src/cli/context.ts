import { escapeHidden } from "../core/clean-text.ts";
import type { Clock } from "../core/clock.ts";
import { oneLine } from "../core/one-line.ts";
import type { RandomSource } from "../core/random.ts";

/** The surroundings of one command: its streams, environment and clock. Nothing in `commands/` touches the process itself. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /** Standard output, as given: the caller ends its lines. */
  write(text: string): void;
  /** Standard error, as given. */
  warn(text: string): void;
  /** Whether standard output is a terminal. */
  readonly isTerminal: boolean;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Aborted when a person interrupts the program. */
  readonly signal: AbortSignal;
  /** Processor time of the thread that runs the event loop, in milliseconds; only differences mean anything. */
  cpuMs(): number;
  /** Ends the program at once, whatever is still open. */
  exitNow(code: ExitCode): void;
}

/** The exit codes of every command: done, the answer is no, wrong usage, the event loop was stuck (EX_SOFTWARE), configuration refused (EX_CONFIG). */
export const exitCodes = { ok: 0, no: 1, usage: 2, stuck: 70, refused: 78 } as const;

/** See {@link exitCodes}. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Whether to colour: only on a terminal, and never when NO_COLOR is set to something (https://no-color.org). */
export function hasColour(context: Pick<CommandContext, "env" | "isTerminal">): boolean {
  return context.isTerminal && (context.env["NO_COLOR"] ?? "") === "";
}

/** Red or green text for a terminal, plain text elsewhere. */
export function paint(
  context: Pick<CommandContext, "env" | "isTerminal">,
  colour: "red" | "green" | "yellow" | "dim",
  text: string,
): string {
  if (!hasColour(context)) return text;
  return `\u001b[${colourCodes[colour]}m${text}\u001b[0m`;
}

const colourCodes = { red: 31, green: 32, yellow: 33, dim: 2 } as const;

// oxlint-disable-next-line no-control-regex -- these are what `paint` writes
const painted = /(\u001b\[(?:31|32|33|2|0)m)/;

/** At the beginning of a text for a terminal: erases the screen, and what follows begins at its top. */
export const eraseScreen = "\u001b[H\u001b[2J\u001b[3J";

/** At the beginning of a text for a terminal: erases the line that the cursor is on. */
export const eraseLine = "\r\u001b[2K";

/**
 * The same context, except that nothing which a terminal obeys or an eye does not see is printed raw. On a terminal the colours of
 * {@link paint} are, and {@link eraseLine} and {@link eraseScreen} at the beginning of a text.
 */
export function withCleanOutput(context: CommandContext): CommandContext {
  const cleanParts = (text: string) =>
    hasColour(context)
      ? text
          .split(painted)
          .map((part, index) => (index % 2 === 1 ? part : escapeHidden(part)))
          .join("")
      : escapeHidden(text);
  const clean = (text: string) => {
    const eraser = context.isTerminal ? [eraseLine, eraseScreen].find((one) => text.startsWith(one)) : undefined;
    return eraser === undefined ? cleanParts(text) : `${eraser}${cleanParts(text.slice(eraser.length))}`;
  };
  return { ...context, write: (text) => context.write(clean(text)), warn: (text) => context.warn(clean(text)) };
}

/** One JSON document on its own line: what `--json` prints. */
export function writeJson(context: Pick<CommandContext, "write">, value: unknown): void {
  context.write(`${JSON.stringify(value)}\n`);
}

/** Columns padded to their widest cell, two spaces apart; no trailing spaces. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const clean = rows.map((row) => row.map(oneLine));
  const widths = clean.reduce<number[]>((sum, row) => row.map((cell, index) => Math.max(sum[index] ?? 0, cell.length)), []);
  return clean
    .map(
      (row) =>
        `${row
          .map((cell, index) => cell.padEnd(widths[index] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}
