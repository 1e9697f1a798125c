import type { Json } from "../../packages/sdk/src/wire/json.ts";
import { createRandom, hash32 } from "../../src/core/random.ts";

const words =
  "module test change reader caller value branch queue limit guard answer path order budget window retry field parser worker store".split(
    " ",
  );

/** Name of the prompt that is badly laid out. */
export const promptName = "implement";

/** The model that serves it. */
export const demoModel = "claude-sonnet-4-5";

/** As it was shipped: a clock before everything else, tools in any order, the ticket before the guide, and one marker behind what always changes. */
export const shippedLayout = {
  layers: [
    { key: "tools", role: "tools", stability: "static", render: "{{tools}}" },
    { key: "clock", role: "system", stability: "static", render: "Current time: {{clock}}" },
    { key: "rules", role: "system", stability: "static", render: rulesText() },
    { key: "ticket", role: "user", stability: "static", render: "{{ticket}}" },
    { key: "guide", role: "user", stability: "static", render: "{{guide}}" },
    { key: "history", role: "user", stability: "turn", render: "" },
  ],
  breakpoints: [{ afterLayer: "history", ttl: "5m" }],
} as const;

/** The repositories that tickets come from. */
const repositories = ["checkout", "search", "billing"] as const;

/** Calls of the model that one ticket needs. */
export const turnsPerTicket = 4;

const tools: readonly Json[] = ["read_file", "edit_file", "list_files", "run_tests", "search_code", "open_review"].map((name) => ({
  name,
  description: `${name.replaceAll("_", " ")} in the working copy of the ticket. ${sentences(name, 5)}`,
  input_schema: {
    type: "object",
    properties: { path: { type: "string", description: sentences(`${name} path`, 1) }, reason: { type: "string" } },
    required: ["path"],
  },
}));

/** What fills the prompt for one call of a ticket. The tools come in whatever order the application's registry happens to have. */
export function variablesOf(ticketId: string, now: number, random: () => number): { readonly [name: string]: Json } {
  const repository = repositories[hash32(ticketId) % repositories.length] ?? "checkout";
  return {
    tools: tools
      .map((tool) => ({ tool, place: random() }))
      .sort((a, b) => a.place - b.place)
      .map(({ tool }) => tool),
    clock: new Date(now).toISOString(),
    ticket: `Ticket ${ticketId} in ${repository}: ${sentences(ticketId, 6)}`,
    guide: `How ${repository} is built and changed\n${Array.from({ length: 24 }, (_, index) => sentences(`${repository} ${index}`, 4)).join("\n")}`,
  };
}

/** What the application asks for after the model's answer, turn by turn. */
export function nextRequest(turn: number): string {
  return (
    ["Name the files that change.", "Write the change.", "Write the test.", "Summarise what was done."][turn % turnsPerTicket] ?? "Go on."
  );
}

function rulesText(): string {
  const rules = Array.from({ length: 14 }, (_, index) => `Rule ${index + 1}: ${sentences(`rule ${index}`, 3)}`);
  return ["You work on tickets of a software team.", "Never push to a protected branch.", ...rules].join("\n");
}

/** Text that is always the same for the same name. */
function sentences(name: string, count: number): string {
  const random = createRandom(hash32(name));
  const word = () => words[Math.floor(random() * words.length)] ?? "value";
  return Array.from(
    { length: count },
    () => `The ${word()} of each ${word()} keeps its ${word()} until the ${word()} says otherwise.`,
  ).join(" ");
}
