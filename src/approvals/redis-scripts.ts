import { join } from "node:path";
import { defineScript } from "../platform/redis/script.ts";

const lua = join(import.meta.dirname, "lua");

/** Scripts of questions to people; each is documented in its file. */
export const questionScripts = {
  answer: defineScript({
    path: join(lua, "answer.lua"),
    preludes: ["now-ms", "feed"],
    keys: ["question", "run", "journal", "due", "openQuestions", "consents", "answeredQuestions", "feed"],
    args: [
      "runId",
      "questionId",
      "expectedHead",
      "newHead",
      "entry",
      "expiresAt",
      "answer",
      "mode",
      "by",
      "expectedConsents",
      "retentionDays",
    ],
  }),
  tryLink: defineScript({ path: join(lua, "try-link.lua"), keys: ["links"], args: ["tokenHash", "maxTries"] }),
} as const;
