import type { RandomSource } from "../core/random.ts";
import { type HoneytokenStore, honeytokenBytes } from "../llm/prompts/honeytoken.ts";

/** Honeytokens in memory. */
export function createMemoryHoneytokens(random: Pick<RandomSource, "bytes">): HoneytokenStore {
  const tokens = new Map<string, string>();
  return {
    async ensure(prompt) {
      const token = tokens.get(prompt) ?? random.bytes(honeytokenBytes).toString("hex");
      tokens.set(prompt, token);
      return token;
    },
    read: async (prompt) => tokens.get(prompt),
    all: async () => new Map([...tokens].map(([prompt, token]) => [token, prompt])),
  };
}
