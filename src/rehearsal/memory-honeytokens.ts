import type { RandomSource } from "../core/random.ts";
import { type HoneytokenStore, honeytokenBytes, maxHoneytokens } from "../llm/prompts/honeytoken.ts";

/** Honeytokens in memory. */
export function createMemoryHoneytokens(random: Pick<RandomSource, "bytes">): HoneytokenStore {
  const tokens = new Map<string, readonly string[]>();
  const rotate = async (prompt: string) => {
    const token = random.bytes(honeytokenBytes).toString("hex");
    tokens.set(prompt, [token, ...(tokens.get(prompt) ?? [])].slice(0, maxHoneytokens));
    return token;
  };
  return {
    create: async (prompt) => (tokens.has(prompt) ? undefined : rotate(prompt)),
    rotate,
    read: async (prompt) => tokens.get(prompt)?.[0],
    all: async () => new Map([...tokens].flatMap(([prompt, all]) => all.map((token) => [token, prompt] as const))),
  };
}
