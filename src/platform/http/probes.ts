import { type Condition, healthSchema, readinessSchema } from "../../../packages/sdk/src/wire/service.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Readiness, ReadinessCondition } from "./readiness.ts";
import { viewers } from "./roles.ts";
import type { TokenVerifier } from "./token-verifier.ts";
import { bearerOf } from "./webhook-auth.ts";

/** GET /healthz: the process lives; GET /readyz: work can be accepted. `closing` is aborted when the process shuts down, which ends readiness. */
export function createProbes({
  readiness,
  closing,
  tokens,
}: {
  readonly readiness: Readiness;
  /** Whose tokens show the details for people. */
  readonly tokens: TokenVerifier;
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
      summary: "Whether work can be accepted, condition by condition; who froze what and why is shown to a person's token only",
      answers: {
        200: { description: "Ready", schema: readinessSchema },
        503: { description: "`conditions` says what is missing", schema: readinessSchema },
      },
      async handle({ headers }) {
        const isPerson = await isPersonsToken(tokens, headers.authorization);
        const judged = await readiness.conditions();
        const conditions = [{ name: "running", ok: !closing.aborted }, ...judged.map((condition) => shown(condition, isPerson))];
        const ready = conditions.every(({ ok }) => ok);
        return { kind: "json", status: ready ? 200 : 503, body: { ready, conditions } };
      },
    },
  ];
}

function shown({ detailForPeople, ...condition }: ReadinessCondition, isPerson: boolean): Condition {
  return isPerson && detailForPeople !== undefined ? { ...condition, detail: detailForPeople } : condition;
}

/** A probe needs no token: one that is wrong or cannot be verified shows less and is not refused. */
async function isPersonsToken(tokens: TokenVerifier, authorization: string | undefined): Promise<boolean> {
  const token = bearerOf(authorization);
  const caller = token === undefined ? undefined : await tokens.verify(token).catch(() => undefined);
  return caller !== undefined && viewers.includes(caller.role);
}
