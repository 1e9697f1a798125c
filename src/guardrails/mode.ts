import { type Guardrail, isMutation } from "./guardrail.ts";

/** How far the run may go without a person: `observe` only plans, `approve` asks before every change, `auto` goes on. */
export const modeGuardrail: Guardrail = ({ mode, action, approved }) => {
  if (!isMutation(action)) return { kind: "allow", claims: [] };
  switch (mode) {
    case "observe":
      return { kind: "refuse", guardrail: "mode", reason: "observe: this run plans only and changes nothing" };
    case "approve":
      return approved
        ? { kind: "allow", claims: [] }
        : { kind: "ask", guardrail: "mode", reason: "This run is in approve mode: every change needs a person's permission." };
    case "auto":
      return { kind: "allow", claims: [] };
  }
};
