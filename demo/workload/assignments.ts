/** One call of the model that a ticket needs: the prompt it uses and what it is for. */
export interface Assignment {
  readonly prompt: "triage" | "implement" | "review" | "summarize";
  readonly operation: string;
  readonly model: string;
  readonly maxTokens: number;
  /** What is asked, after the ticket's own text. */
  readonly instruction: string;
}

const small = "claude-haiku-4-5";
const large = "claude-sonnet-4-5";

/** The way of every ticket, in order: each line is one turn. */
export const assignments: readonly Assignment[] = [
  { prompt: "triage", operation: "classify", model: small, maxTokens: 60, instruction: "Name the component and the risk." },
  { prompt: "triage", operation: "route", model: small, maxTokens: 60, instruction: "Name the team that owns the component." },
  { prompt: "implement", operation: "plan", model: large, maxTokens: 240, instruction: "Plan the change in short sentences." },
  { prompt: "implement", operation: "code", model: large, maxTokens: 160, instruction: "Write the first half of the change." },
  { prompt: "implement", operation: "code", model: large, maxTokens: 160, instruction: "Write the second half of the change." },
  { prompt: "implement", operation: "test", model: small, maxTokens: 120, instruction: "Write a test that fails without the change." },
  { prompt: "review", operation: "read", model: small, maxTokens: 100, instruction: "Say what is wrong with the change." },
  { prompt: "review", operation: "decide", model: small, maxTokens: 60, instruction: "Accept or refuse the change." },
  { prompt: "summarize", operation: "write", model: small, maxTokens: 80, instruction: "Tell the author of the ticket what was done." },
];

/** The standing text of a prompt; long enough for the provider's cache, and equal for every ticket. */
export function standingText(prompt: Assignment["prompt"]): string {
  const rules = [
    "Keep the style of the file that you change.",
    "Prefer the smallest change that solves the whole problem.",
    "Never touch generated files; change what they are generated from.",
    "Name things after what they mean to the reader and not after how they are built.",
    "A change of behaviour comes with a test that fails without it.",
    "Public interfaces keep their contract; when one must change, say so first.",
    "Errors say what was expected, what was found and where.",
    "Secrets never appear in code, tests, logs or answers.",
  ];
  const text = Array.from({ length: 10 }, (_, chapter) => rules.map((rule, index) => `${chapter + 1}.${index + 1} ${rule}`).join("\n"));
  return `You work on tickets of a software team. Your part is: ${prompt}.\n\n${text.join("\n\n")}`;
}
