import { z } from "zod";
import { cacheBlocks } from "../../packages/sdk/src/wire/caches.ts";
import type { SimulatedPrompt } from "./rehearsal.ts";
import { amount, count, ratio } from "./rehearsal-values.ts";

/** A prompt as it is written; see docs/rehearsals.md. */
export const promptSchema = z.strictObject({
  provider: z.string().default("anthropic"),
  model: z.string().default("opus-test"),
  hit: ratio,
  achievable: ratio.default(0.95),
  predicted_hit: ratio.default(0.94),
  lost_usd_per_day: amount,
  blocked: z.enum(cacheBlocks).optional(),
  ticket_tokens: count.default(900),
  tickets_per_minute: amount.default(10),
  canary_hit: ratio.default(0.93),
  promoted_hit: ratio.default(0.93),
  cost_ratio: amount.default(0.2),
  worse_answers: count.default(0),
  quality: ratio.default(0.95),
  canary_quality: ratio.default(0.95),
});

/** The prompt that the simulation begins with. */
export function promptOf(name: string, written: z.output<typeof promptSchema>): SimulatedPrompt {
  return {
    name,
    provider: written.provider,
    model: written.model,
    hit: written.hit,
    achievable: written.achievable,
    predictedHit: written.predicted_hit,
    lostUsdPerDay: written.lost_usd_per_day,
    ...(written.blocked !== undefined && { blocked: written.blocked }),
    ticketTokens: written.ticket_tokens,
    ticketsPerMinute: written.tickets_per_minute,
    canaryHit: written.canary_hit,
    promotedHit: written.promoted_hit,
    costRatio: written.cost_ratio,
    worseAnswers: written.worse_answers,
    quality: written.quality,
    canaryQuality: written.canary_quality,
  };
}
