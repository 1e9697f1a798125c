import { createPaint, type DemoView, elapsed, isReached, renderDemo } from "./demo-view.ts";
import { createScreen } from "./screen.ts";

/** Shows progress. */
export interface Presenter {
  /** A sentence that stays. */
  say(text: string): void;
  show(view: DemoView): void;
  /** Nothing is drawn any more; what was shown stays. */
  close(): void;
}

/** A picture that is drawn over itself. */
export function createLivePresenter(out: NodeJS.WriteStream, coloured: boolean): Presenter {
  const paint = createPaint(coloured);
  let screen: ReturnType<typeof createScreen> | undefined;
  return {
    say(text) {
      screen?.close();
      screen = undefined;
      out.write(`${text}\n`);
    },
    show(view) {
      screen ??= createScreen(out);
      screen.draw(renderDemo(view, out.columns ?? 80, paint));
    },
    close() {
      screen?.close();
      screen = undefined;
    },
  };
}

/** One line with a time for everything that changes, for logs and pipes. */
export function createPlainPresenter(write: (line: string) => void, now: () => number): Presenter {
  const stamp = () => new Date(now()).toISOString().slice(11, 23);
  const shown = new Map<string, string>();
  let figuresAt = 0;
  const once = (key: string, value: string, beganAt: number, at: number, text: string) => {
    if (shown.get(key) === value) return;
    shown.set(key, value);
    write(`${stamp()} +${elapsed(at - beganAt)} ${text}`);
  };
  return {
    say: (text) => write(`${stamp()} ${text}`),
    show({ beganAt, milestones, gauges, steps, now: at }) {
      for (const milestone of milestones.filter(isReached)) {
        const { key, label, reached, detail = "" } = milestone;
        once(key, "seen", beganAt, typeof reached === "number" ? reached : at, `✔ ${label}${detail === "" ? "" : `: ${detail}`}`);
      }
      for (const { step, name, state, at: changedAt } of steps) once(`step ${step}`, state, beganAt, changedAt, `  ${name}: ${state}`);
      if (gauges.length === 0 || at - figuresAt < 10_000) return;
      figuresAt = at;
      write(`${stamp()} +${elapsed(at - beganAt)}   ${gauges.map(({ label, text }) => `${label.toLowerCase()} ${text}`).join(", ")}`);
    },
    close: () => undefined,
  };
}
