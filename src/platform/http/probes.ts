import { healthSchema, readinessSchema } from "../../../packages/sdk/src/wire/service.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Readiness } from "./readiness.ts";

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
      answers: { 200: { description: "It does", schema: healthSchema } },
      handle: async () => ({ kind: "json", status: 200, body: { status: "ok" } }),
    },
    {
      ...probe,
      path: "/readyz",
      summary: "Whether work can be accepted, condition by condition",
      answers: {
        200: { description: "Ready", schema: readinessSchema },
        503: { description: "`conditions` says what is missing", schema: readinessSchema },
      },
      async handle() {
        const conditions = [{ name: "running", ok: !closing.aborted }, ...(await readiness.conditions())];
        const ready = conditions.every(({ ok }) => ok);
        return { kind: "json", status: ready ? 200 : 503, body: { ready, conditions } };
      },
    },
  ];
}
