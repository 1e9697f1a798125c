/** What a library leaves out of the object that it hands to its user, so that nothing can tell that the cost is not the bill's. */
export interface LeftOut {
  readonly library: string;
  readonly reads: string;
  /** The recorded calls in which it shows. */
  readonly names: readonly string[];
  /** What is wrong with the counts, and what to report instead. */
  readonly why: string;
}

const writes = "it does not say that writes to the cache are for an hour";
const searches = "web searches are not in it";
const providers = "report `response_metadata.usage`";

/** Every recorded call whose cost is not the bill's is here, and nothing else. */
export const leftOutByClients: readonly LeftOut[] = [
  {
    library: "@langchain/anthropic",
    reads: "invoke → usage_metadata",
    names: ["writes for an hour", "three searches"],
    why: `${writes}, and ${searches}: ${providers}`,
  },
  {
    library: "@langchain/anthropic",
    reads: "stream → usage_metadata of the chunks together",
    names: ["writes for five minutes", "writes for an hour", "writes alone", "less read than sent", "three searches", "no cache"],
    why: `the output tokens of the first event are added to the final ones, ${writes}, and ${searches}: call \`invoke\` and report its \`response_metadata.usage\``,
  },
  {
    library: "@traceloop/instrumentation-anthropic",
    reads: "attributes of the span of messages.create",
    names: ["three searches"],
    why: `${searches}: report the answer's \`usage\``,
  },
  {
    library: "@traceloop/instrumentation-openai",
    reads: "attributes of the span of chat.completions.create",
    names: ["cached and reasoned"],
    why: "it does not say how many tokens were cached: report the answer's `usage`",
  },
];
