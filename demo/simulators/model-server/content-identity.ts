import { canonicalJson } from "../../../packages/sdk/src/wire/json.ts";
import { maskSpans, volatileSpans } from "../../../packages/sdk/src/wire/volatile-span.ts";
import { sha256 } from "../../../src/core/json.ts";
import type { PromptBody } from "./messages-body.ts";

/** Equal for two prompts that say the same: the same lines and tools in any order, whatever the time is. Lines that are a tag alone say nothing. */
export function contentIdentity({ tools = [], system = [], messages }: PromptBody): string {
  const texts = [system, ...messages.map(({ content }) => content)].flatMap((content) =>
    typeof content === "string" ? [content] : content.map(({ cache_control: _mark, ...block }) => block.text ?? canonicalJson(block)),
  );
  const lines = texts
    .flatMap((text) => text.split("\n"))
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^<\/?\w+>$/.test(line))
    .map((line) =>
      maskSpans(
        line,
        volatileSpans(line).filter(({ kind }) => kind === "time"),
      ),
    );
  const named = tools.map(({ cache_control: _mark, ...tool }) => canonicalJson(tool));
  return sha256([...lines, ...named].sort().join("\n"));
}
