import { allowed, type Guardrail, isRaise } from "./guardrail.ts";

/** When very much begins at once something common is broken: reading and stopping go on, raising needs a person. */
export const storm: Guardrail = ({ action, approved }, { facts: { newEpisodes }, policy: { limits } }) => {
  if (!isRaise(action) || approved || newEpisodes <= limits.storm_episodes) return allowed;
  return {
    kind: "ask",
    guardrail: "storm",
    group: "storm",
    reason: `storm: ${newEpisodes} episodes began within five minutes; above ${limits.storm_episodes} a person decides.`,
  };
};
