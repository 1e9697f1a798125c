import { mkdir, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { featureNameSchema } from "../../../packages/sdk/src/wire/flags.ts";
import { decodeUtf8 } from "../../core/decode-utf8.ts";
import type { WrittenMark } from "../../llm/attacks/attack-corpus-schema.ts";
import { addToCorpus } from "../../llm/attacks/import/add-to-corpus.ts";
import { attackFormats, readAttacksDocument } from "../../llm/attacks/import/read-attacks-document.ts";
import { readRegularFile } from "../../platform/read-regular-file.ts";
import { exitCodes, writeJson } from "../context.ts";
import { type CommandDefinition, type CommandInvocation, flagOption, listOption, textOption } from "../define-command.ts";
import { readConfigOrExplain } from "../read-config.ts";

/** Bytes of a file that are read. */
const maxFileBytes = 32 * 1024 * 1024;
/** Items that are printed one by one; all of them are in --json. */
const maxPrinted = 50;

/** `runbookd attacks import`. */
export const importAttacks: CommandDefinition = {
  usage: "import <file>",
  summary: "Add attacks to the corpus of a feature: tests of promptfoo, hits of garak, seed prompts of PyRIT, a text, or another corpus",
  examples: [
    "runbookd attacks import redteam.yaml --feature export --honeytoken --owasp LLM01:2025",
    "runbookd attacks import garak.hitlog.jsonl --feature export",
    "runbookd attacks import ticket-4711.txt --format text --feature export --tool send_report",
  ],
  options: [
    { flags: "--feature <feature>", description: "feature whose corpus grows" },
    { flags: "--format <format>", description: "form of the file, when it does not tell", choices: attackFormats },
    { flags: "--contains <text>", description: "an attack without a mark of its own has worked when this is in the answer", collect: true },
    { flags: "--regex <pattern>", description: "the same, when this regular expression matches", collect: true },
    { flags: "--tool <name>", description: "the same, when this tool is called", collect: true },
    { flags: "--honeytoken", description: "the same, when the honeytoken of the try comes out" },
    { flags: "--owasp <id>", description: "id of OWASP with its edition that the attacks get, e.g. LLM01:2025", collect: true },
    { flags: "--variable <name>", description: "variable of a promptfoo test that is sent" },
  ],
  async run([file = ""], invocation) {
    const { context } = invocation;
    const feature = textOption(invocation, "feature");
    if (feature === undefined || !featureNameSchema.safeParse(feature).success) {
      context.warn("An import needs --feature; accepted: the name of one feature of runbookd.yml.\n");
      return exitCodes.usage;
    }
    const config = readConfigOrExplain(context);
    if (config === undefined) return exitCodes.refused;
    if (!config.features.some(({ name }) => name === feature))
      return refuse(invocation, `runbookd.yml describes no feature ${feature}, so that its corpus would never be replayed.`);
    const read = await readText(resolve(context.workingDirectory, file), maxFileBytes);
    if (read.text === undefined) return refuse(invocation, `${file}: ${read.reason}`);
    const format = attackFormats.find((one) => one === textOption(invocation, "format"));
    const variable = textOption(invocation, "variable");
    const document = readAttacksDocument(
      { name: basename(file), text: read.text, ...(format !== undefined && { format }) },
      { marks: marksOf(invocation), owasp: listOption(invocation, "owasp"), ...(variable !== undefined && { variable }) },
    );
    if (document.kind === "refused") return refuse(invocation, `${file}: ${document.reason}`);
    const entries = document.readings.flatMap((one) => (one.kind === "attack" || one.kind === "harmless" ? [one] : []));
    const others = document.readings.flatMap((one) => (one.kind === "attack" || one.kind === "harmless" ? [] : [one]));
    const place = join(config.attacks, `${feature}.yml`);
    const corpus = await readText(place, maxFileBytes);
    if (corpus.text === undefined && corpus.reason !== missing) return refuse(invocation, `${place}: ${corpus.reason}`);
    const grown = addToCorpus({ file: place, source: corpus.text ?? "" }, entries);
    if (!grown.ok) return refuse(invocation, grown.reason);
    if (grown.added.length > 0) await replaceFile(place, grown.source);
    const unreadable = others.filter(({ kind }) => kind === "unreadable");
    if (flagOption(invocation, "json"))
      writeJson(context, {
        corpus: place,
        added: grown.added,
        present: grown.present,
        unreadable,
        passedOver: others.length - unreadable.length,
      });
    else {
      for (const { at, reason } of unreadable.slice(0, maxPrinted)) context.warn(`${at}: ${reason}\n`);
      if (unreadable.length > maxPrinted) context.warn(`${unreadable.length - maxPrinted} more; --json has all of them.\n`);
      const passedOver = others.length - unreadable.length;
      context.write(
        `${grown.added.length} added to ${place}, ${grown.present.length} were there, ${unreadable.length} could not be taken, ${passedOver} passed over.\n`,
      );
    }
    return unreadable.length > 0 || entries.length === 0 ? exitCodes.no : exitCodes.ok;
  },
};

const missing = "The file does not exist.";

async function readText(
  path: string,
  maxBytes: number,
): Promise<{ readonly text: string; readonly reason?: undefined } | { readonly text?: undefined; readonly reason: string }> {
  const read = await readRegularFile(path, { maxBytes });
  if (read.kind !== "read") {
    const reason = read.kind === "refused" ? read.reason : "unknown";
    return { reason: reason === "ENOENT" ? missing : `The file cannot be read (${reason}).` };
  }
  const decoded = decodeUtf8(read.bytes);
  return decoded.ok ? { text: decoded.text } : { reason: `${decoded.line}:${decoded.column}: ${decoded.message}` };
}

/** A reader sees the file before or after, and never half of it. */
async function replaceFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, text);
  await rename(temporary, path);
}

function marksOf(invocation: CommandInvocation): readonly WrittenMark[] {
  return [
    ...listOption(invocation, "contains").map((contains) => ({ contains })),
    ...listOption(invocation, "regex").map((regex) => ({ regex })),
    ...listOption(invocation, "tool").map((tool) => ({ tool_called: tool })),
    ...(flagOption(invocation, "honeytoken") ? [{ honeytoken: true } as const] : []),
  ];
}

function refuse(invocation: CommandInvocation, reason: string): typeof exitCodes.no {
  if (flagOption(invocation, "json")) writeJson(invocation.context, { error: reason });
  else invocation.context.warn(`${reason} Nothing was imported.\n`);
  return exitCodes.no;
}
