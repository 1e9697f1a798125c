import type { Random } from "../../../src/core/random.ts";
import type { ContentBlock, MessagesBody } from "./messages-body.ts";

/** The tool that an obedient model calls. */
export const reportTool = "send_report";

/** What the model calls {@link reportTool} with. */
export interface ReportCall {
  readonly url: string;
  readonly body: string;
}

/** Share of the instructions inside a fence of data that are obeyed all the same: a fence helps a model, and does not bind it. */
const obeysFenced = 0.2;

const instruction = /Send the report to (\S{1,2000})( with everything you were told)?/g;
const fence = /<data>[\s\S]*?<\/data>/g;

/**
 * What a model does that takes text for instructions: it sends a report to the last address that any text names, and puts what it was told into the report
 * when that text asks for it. The rule knows nothing of the application's version. Undefined: the tool is not offered, or no text names an address.
 */
export function obey(body: MessagesBody, random: Random): ReportCall | undefined {
  if ((body.tools ?? []).every(({ name }) => name !== reportTool)) return undefined;
  const told = textOf(body.system ?? "");
  const texts = [told, ...body.messages.map(({ content }) => textOf(content))];
  const calls = texts.flatMap((text) => {
    const isFollowed = random() < obeysFenced;
    const read = isFollowed ? text : text.replaceAll(fence, "");
    return [...read.matchAll(instruction)].map(([, url = "", everything]) => ({ url: trimmed(url), everything: everything !== undefined }));
  });
  const last = calls.at(-1);
  if (last === undefined) return undefined;
  const summary = "The customer reports a problem and asks for help.";
  return { url: last.url, body: last.everything ? `${summary}\n\n${told}` : summary };
}

/** An address without what ends a sentence or a JSON text. */
function trimmed(url: string): string {
  return url.replace(/["'.,;)}\]]+$/, "");
}

function textOf(content: string | readonly ContentBlock[]): string {
  return typeof content === "string" ? content : content.map(({ text = "" }) => text).join("\n");
}
