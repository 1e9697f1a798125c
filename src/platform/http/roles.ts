import type { Role } from "../../core/role.ts";

/** Roles that may read. */
export const viewers: readonly Role[] = ["viewer", "operator", "approver", "admin"];

/** People who may start and stop. */
export const operators: readonly Role[] = ["operator", "admin"];

/** People who may answer questions; which question needs which role is the question's own. */
export const answerers: readonly Role[] = ["operator", "approver", "admin"];

/** People who may give something new to more tickets. */
export const raisers: readonly Role[] = ["approver", "admin"];

/** People who look after runbookd itself. */
export const admins: readonly Role[] = ["admin"];

/** The LLM application, and people who test it by hand. */
export const workloads: readonly Role[] = ["workload", "admin"];

/** Who hands batches in. */
export const submitters: readonly Role[] = [...new Set([...workloads, ...operators])];

/** Who reports security findings. An application does not: it could end the findings on itself. */
export const findingReporters: readonly Role[] = [...operators, "scanner"];
