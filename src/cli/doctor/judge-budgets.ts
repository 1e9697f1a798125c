import { type Finding, fine, warning } from "../../core/diagnosis.ts";

const nearlyFull = 0.9;

/** Whether there is room for further budgets. */
export function judgeBudgets(count: number, max: number): Finding {
  const detail = `${count} of at most ${max}`;
  if (count < max * nearlyFull) return fine("Budgets", detail);
  return warning(
    "Budgets",
    detail,
    count >= max
      ? "A further budget is refused. Raise RUNBOOKD_MAX_BUDGETS in every process, or use a budget that exists."
      : "Raise RUNBOOKD_MAX_BUDGETS in every process before further budgets are refused.",
  );
}
