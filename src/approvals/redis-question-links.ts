import type { Redis } from "ioredis";
import type { Instant } from "../core/clock.ts";
import { type LinkedQuestion, linkHash, linkLifeMs, linkTries } from "../core/question-link.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { questionScripts } from "./redis-scripts.ts";

/** Tokens of mailed links, of which only a hash is kept. */
export interface QuestionLinks {
  /** Makes `token` one of the question's links until the question expires, at most a day. */
  add(question: LinkedQuestion, token: string): Promise<void>;
  /** `right`, or how many wrong tokens are still allowed. */
  try(
    question: LinkedQuestion,
    token: string,
  ): Promise<{ readonly right: true } | { readonly right: false; readonly remainingTries: number }>;
}

/** Links over Redis. */
export function createQuestionLinks(redis: Redis, now: () => Instant): QuestionLinks {
  return {
    async add(question, token) {
      const key = runKeys.links(question.id);
      const lifeMs = Math.min(linkLifeMs, (question.expiresAt ?? Number.POSITIVE_INFINITY) - now());
      if (lifeMs <= 0) return;
      await redis.multi().hset(key, linkHash(token, question), "1").pexpire(key, Math.ceil(lifeMs)).exec();
    },
    async try(question, token) {
      const result = await questionScripts.tryLink.run(redis, {
        keys: { links: runKeys.links(question.id) },
        args: { tokenHash: linkHash(token, question), maxTries: linkTries },
      });
      const remainingTries = Number(result);
      return remainingTries < 0 ? { right: true } : { right: false, remainingTries };
    },
  };
}
