import type { Endpoint } from "./endpoint.ts";
import type { Readiness } from "./readiness.ts";
import { json } from "./route.ts";

/** GET /healthz: the process lives; GET /readyz: work can be accepted. `closing` is aborted when the process shuts down, which ends readiness. */
export function createProbes({
  readiness,
  closing,
}: {
  readonly readiness: Readiness;
  readonly closing: AbortSignal;
}): readonly Endpoint[] {
  const probe = { method: "get", security: [], problems: [] } as const;
  return [
    {
      ...probe,
      path: "/healthz",
      summary: "The process lives",
      answers: { 200: "It does" },
      handle: async () => json(200, { status: "ok" }),
    },
    {
      ...probe,
      path: "/readyz",
      summary: "Whether work can be accepted, condition by condition",
      answers: { 200: "Ready", 503: "`conditions` says what is missing" },
      async handle() {
        const conditions = [{ name: "running", ok: !closing.aborted }, ...(await readiness.conditions())];
        const ready = conditions.every(({ ok }) => ok);
        return json(ready ? 200 : 503, { ready, conditions });
      },
    },
  ];
}
