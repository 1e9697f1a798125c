import { allowed, type Guardrail, isRaise } from "./guardrail.ts";

/** An alert that comes and goes is not understood: raising anything because of it needs a person. */
export const flapHold: Guardrail = ({ action, approved }, { facts: { episodesInHour }, policy: { limits } }) => {
  if (!isRaise(action) || approved || episodesInHour <= limits.episodes_per_hour) return allowed;
  return {
    kind: "ask",
    guardrail: "flap-hold",
    reason: `flap-hold: this alert began ${episodesInHour} times within an hour; above ${limits.episodes_per_hour} a person decides.`,
  };
};
