import type { DemoView } from "./demo-view.ts";
import { createPaint, elapsed, renderDemo } from "./demo-view.ts";
import { createScreen } from "./screen.ts";
import { stages } from "./timeline.ts";

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
  let moneyAt = 0;
  const once = (key: string, value: string, beganAt: number, at: number, text: string) => {
    if (shown.get(key) === value) return;
    shown.set(key, value);
    write(`${stamp()} +${elapsed(at - beganAt)} ${text}`);
  };
  return {
    say: (text) => write(`${stamp()} ${text}`),
    show({ seen, details, beganAt, steps, money, tickets, now: at }) {
      for (const { key, label } of stages) {
        const value = seen[key];
        if (value === undefined) continue;
        const detail = details[key];
        once(key, "seen", beganAt, typeof value === "number" ? value : at, `✔ ${label}${detail === undefined ? "" : `: ${detail}`}`);
      }
      for (const { step, name, state, at: changedAt } of steps) once(`step ${step}`, state, beganAt, changedAt, `  ${name}: ${state}`);
      if (money !== undefined && at - moneyAt >= 10_000) {
        moneyAt = at;
        const burn = money.burn === undefined ? "no data" : `${money.burn.toFixed(1)}x`;
        const spent = `$${(money.spentMicroUsd / 1_000_000).toFixed(2)} of $${(money.limitMicroUsd / 1_000_000).toFixed(0)}`;
        write(
          `${stamp()} +${elapsed(at - beganAt)}   spent ${spent}, burn ${burn}, tickets: ${tickets.finished} finished, ${tickets.running} in flight, ${tickets.waiting} waiting, gate ${tickets.gate}`,
        );
      }
    },
    close: () => undefined,
  };
}
