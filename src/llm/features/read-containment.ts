import type { SeverityClass } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { ActionContext } from "../../core/action.ts";
import type { Feature } from "../../core/feature.ts";
import type { SecurityFindingStore } from "../findings/security-finding-store.ts";
import type { ContainmentFacts } from "./decide-containment.ts";

/** More open findings of one feature than this are not read: what is not seen is contained. */
export const maxFindings = 1000;

/** What a containment is decided from, read now. What cannot be read is undefined, and nothing of it rejects. */
export async function readContainmentFacts(
  asked: { readonly name: string; readonly feature: Feature | undefined; readonly atLeast: SeverityClass },
  store: Pick<SecurityFindingStore, "list" | "sources">,
  { alert }: Pick<ActionContext, "alert">,
): Promise<ContainmentFacts> {
  const [findings, sources] = await Promise.all([
    orUndefined(store.list({ feature: asked.name }, maxFindings + 1)),
    orUndefined(store.sources()),
  ]);
  return {
    ...asked,
    findings: findings === undefined || findings.length > maxFindings ? undefined : findings,
    sources,
    alertSince: alert?.startsAt,
  };
}

async function orUndefined<Value>(reading: Promise<Value>): Promise<Value | undefined> {
  // Whatever the reason is, a damaged record included: a verdict that cannot be read contains.
  return reading.catch(() => undefined);
}
