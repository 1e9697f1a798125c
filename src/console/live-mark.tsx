import { timeOfDay } from "./page-format.ts";
import { useServices } from "./services.ts";

/** Whether what the page shows follows the server. */
export function LiveMark() {
  const { feed } = useServices();
  const state = feed.state.value;
  if (state.kind === "connecting") return null;
  return (
    <p class={`live ${state.kind === "live" ? "good" : "wait"}`} aria-live="polite">
      {state.kind === "live" ? "Live" : null}
      {state.kind === "cut" ? `Not live since ${timeOfDay(state.since)} UTC, trying again` : null}
      {state.kind === "away" ? `Redis has not answered since ${timeOfDay(state.since)} UTC` : null}
    </p>
  );
}
