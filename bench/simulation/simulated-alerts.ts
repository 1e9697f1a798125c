import { pickOf } from "./operations.ts";
import type { Schedule } from "./schedule.ts";

/** One continuous firing, in milliseconds since the world began. */
export interface Firing {
  readonly from: number;
  readonly to: number;
}

/** An alert as it is in truth. */
export interface SimulatedAlert {
  readonly name: string;
  readonly thing: string;
  readonly firings: readonly Firing[];
}

/** Two firings of one alert are further apart than what a replica or a restart may move a start by. */
const gapsMs = [400_000, 900_000] as const;

/** Two to four alerts of two names about two things, each of which fires once to three times. */
export function drawAlerts(schedule: Schedule): readonly SimulatedAlert[] {
  const count = pickOf(schedule, [2, 3, 4]);
  return Array.from({ length: count }, (_, index) => {
    const name = pickOf(schedule, ["Slow", "Dear"]);
    const firings: Firing[] = [];
    let at = pickOf(schedule, [1000, 1000, 30_000, 200_000]);
    for (let number = pickOf(schedule, [1, 2, 3]); number > 0; number -= 1) {
      const to = at + pickOf(schedule, [900_000, 400_000, 45_000]);
      firings.push({ from: at, to });
      at = to + pickOf(schedule, gapsMs);
    }
    return { name, thing: pickOf(schedule, ["a", "b", `c${index}`]), firings };
  });
}
