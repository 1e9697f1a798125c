import type { WriteStream } from "node:tty";

/** Redraws a block of lines in place with plain ANSI codes. */
export interface Screen {
  draw(lines: readonly string[]): void;
  /** Leaves the last picture standing and the cursor below it, visible. */
  close(): void;
}

/** A screen on a terminal. Lines beyond the terminal's height are cut off at the end, because a cursor cannot climb above the top. */
export function createScreen(out: Pick<WriteStream, "write" | "rows">): Screen {
  let drawn = 0;
  out.write("\u001b[?25l");
  return {
    draw(lines) {
      const shown = lines.slice(0, Math.max(1, (out.rows ?? 40) - 1));
      const up = drawn > 0 ? `\u001b[${drawn}A` : "";
      const body = shown.map((line) => `\u001b[2K${line}\n`).join("");
      out.write(`${up}\r${body}\u001b[0J`);
      drawn = shown.length;
    },
    close() {
      drawn = 0;
      out.write("\u001b[?25h");
    },
  };
}
