import { z } from "zod";
import {
  type Flag,
  type FlagDefinition,
  type FlagView,
  flagDefinitionSchema,
  flagSchema,
  flagTypes,
  flagViewSchema,
} from "../../../packages/sdk/src/wire/flags.ts";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import { pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import { promptHoneytokenSchema } from "../../../packages/sdk/src/wire/prompts.ts";
import { oneLine } from "../../core/one-line.ts";
import { formatShare } from "../../core/share.ts";
import { definitionOf, faultsOfFlag } from "../../llm/flags/flag.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandDefinition, type CommandInvocation, flagOption, listOption, textOption } from "../define-command.ts";
import { formatInstant } from "../render-run.ts";

/** `runbookd flags …`: which features are on. */
export function flagsCommands(): readonly CommandDefinition[] {
  return [listCommand, showCommand, setCommand, onCommand, offCommand, honeytokenCommand];
}

const listCommand: CommandDefinition = {
  usage: "list",
  summary: "List flags with their state, their share and the processes that hold them",
  examples: ["runbookd flags list", "runbookd flags list --json"],
  options: [
    { flags: "--limit <n>", description: "most entries to show, 1 to 200" },
    { flags: "--cursor <cursor>", description: "continue behind the page whose answer held it" },
  ],
  remote: true,
  async run(_args, invocation) {
    const { context } = invocation;
    const query = new URLSearchParams();
    for (const name of ["limit", "cursor"]) {
      const value = textOption(invocation, name);
      if (value !== undefined) query.set(name, value);
    }
    const client = await createApiClient(invocation);
    const answer = await client.get(`/api/flags?${query.toString()}`, pageSchema(flagViewSchema));
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    const { items, nextCursor } = answer.body;
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else if (items.length === 0) context.write("There is no flag. `runbookd flags set` makes one.\n");
    else {
      context.write(
        renderTable([["FLAG", "STATE", "DEFAULT", "ON TRIAL", "FEATURE", "CURRENT", "SINCE", "BY", "REASON"], ...items.map(rowOf)]),
      );
      if (nextCursor !== undefined) context.write(`More: --cursor ${nextCursor}\n`);
    }
    return exitCodes.ok;
  },
};

const showCommand: CommandDefinition = {
  usage: "show <flag>",
  summary: "Show a flag: its variants, its share, and how many processes hold its newest version",
  examples: ["runbookd flags show export"],
  remote: true,
  async run([key = ""], invocation) {
    const client = await createApiClient(invocation);
    const answer = await client.get(pathOf(key), flagViewSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
    else invocation.context.write(renderFlag(answer.body));
    return exitCodes.ok;
  },
};

const reasonOption = { flags: "--reason <text>", description: "why; others read it, and it stands in the audit log" };

const setCommand: CommandDefinition = {
  usage: "set <flag>",
  summary: "Set what a flag is; what is not named stays. A new one is off, of type boolean with the variants on and off",
  examples: [
    "runbookd flags set export --feature export --reason 'first'",
    "runbookd flags set export --default off --try on --share 0.1 --reason 'again, for a tenth'",
    "runbookd flags set export --no-trial --reason 'it leaks'",
    'runbookd flags set answers --type string --variant long=long --variant none= --default long --off none --reason "first"',
  ],
  options: [
    { flags: "--type <type>", description: "type of the values of a new flag", choices: flagTypes },
    {
      flags: "--variant <name=value>",
      description: "a variant with its value: text for a flag of strings, JSON for others; may be repeated",
      collect: true,
    },
    { flags: "--default <variant>", description: "variant of every key that is not on trial" },
    { flags: "--off <variant>", description: "variant while the flag is off" },
    { flags: "--try <variant>", description: "variant on trial" },
    { flags: "--share <share>", description: "share of the targeting keys that gets it, 0 to 1" },
    { flags: "--no-trial", description: "take the variant on trial back" },
    { flags: "--feature <feature>", description: "feature of runbookd.yml that it switches" },
    reasonOption,
  ],
  remote: true,
  async run([key = ""], invocation) {
    const client = await createApiClient(invocation);
    return change(key, invocation, {
      client,
      decide: (present) => wantedDefinition(key, present, invocation),
    });
  },
};

const onCommand: CommandDefinition = {
  usage: "on <flag>",
  summary: "Switch a flag on; needs an approver",
  examples: ["runbookd flags on export --reason 'the fix is deployed'"],
  options: [reasonOption],
  remote: true,
  async run([key = ""], invocation) {
    const client = await createApiClient(invocation);
    return change(key, invocation, {
      client,
      decide: (present) =>
        present === undefined
          ? `There is no flag ${oneLine(key)}; \`runbookd flags set\` makes one.`
          : { ...definitionOf(present), state: "on" },
    });
  },
};

const offCommand: CommandDefinition = {
  usage: "off <flag>",
  summary: "Switch a flag off, whatever else was changed of it",
  examples: ["runbookd flags off export --reason 'it sends customer data'"],
  options: [reasonOption],
  remote: true,
  async run([key = ""], invocation) {
    const reason = textOption(invocation, "reason");
    if (reason === undefined || reason.trim() === "") return refuse(invocation, missingReason);
    const client = await createApiClient(invocation);
    const answer = await client.post(`${pathOf(key)}/off`, { reason }, flagSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    return report(invocation, answer.body);
  },
};

const honeytokenCommand: CommandDefinition = {
  usage: "honeytoken <prompt>",
  summary: "Make the honeytoken of a prompt, which shows in an output that the prompt has left; it is shown once, when it is made",
  examples: ["runbookd flags honeytoken export", "runbookd flags honeytoken export --rotate", "runbookd flags honeytoken export --json"],
  options: [{ flags: "--rotate", description: "make another one; the ones before it are still recognized" }],
  remote: true,
  async run([prompt = ""], invocation) {
    const { context } = invocation;
    const isRotated = flagOption(invocation, "rotate");
    const client = await createApiClient(invocation);
    const path = `/api/prompts/${encodeURIComponent(prompt)}/honeytoken${isRotated ? "/rotate" : ""}`;
    const answer = await client.post(path, {}, promptHoneytokenSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    const { made, honeytoken } = answer.body;
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else if (made && honeytoken !== undefined) {
      context.write(`${honeytoken}\n`);
      context.warn(
        `This is the${isRotated ? " new" : ""} honeytoken of prompt ${oneLine(prompt)}. It is not shown again, and applications get it with the prompt.\n`,
      );
    } else context.warn(`Prompt ${oneLine(prompt)} has a honeytoken, which was shown when it was made. --rotate makes another one.\n`);
    return exitCodes.ok;
  },
};

const missingReason = "A change needs --reason; accepted: a sentence that tells others why.";

/** Reads the flag, decides what it shall be (or which sentence refuses that), and sets it from the version that was read. */
async function change(
  key: string,
  invocation: CommandInvocation,
  {
    client,
    decide,
  }: {
    readonly client: Awaited<ReturnType<typeof createApiClient>>;
    readonly decide: (present: Flag | undefined) => FlagDefinition | string;
  },
) {
  const reason = textOption(invocation, "reason");
  if (reason === undefined || reason.trim() === "") return refuse(invocation, missingReason);
  const before = await client.get(pathOf(key), flagViewSchema);
  if (before.kind !== "ok" && !(before.kind === "problem" && before.status === 404)) return reportFailure(invocation, before);
  const present = before.kind === "ok" ? before.body : undefined;
  const wanted = decide(present);
  if (typeof wanted === "string") return refuse(invocation, wanted);
  const answer = await client.put(pathOf(key), { ...wanted, expected: present?.version ?? 0, reason }, flagSchema);
  if (answer.kind !== "ok") return reportFailure(invocation, answer);
  return report(invocation, answer.body);
}

function report(invocation: CommandInvocation, flag: Flag) {
  if (flagOption(invocation, "json")) writeJson(invocation.context, flag);
  else invocation.context.write(`Flag ${oneLine(flag.key)} is ${describeState(flag)}.\n`);
  return exitCodes.ok;
}

function refuse({ context }: CommandInvocation, sentence: string) {
  context.warn(`${sentence}\n`);
  return exitCodes.usage;
}

/** What the options make of a flag, or the sentence that says which of them is wrong. */
function wantedDefinition(key: string, present: Flag | undefined, invocation: CommandInvocation): FlagDefinition | string {
  const type = textOption(invocation, "type") ?? present?.type ?? "boolean";
  const variants = readVariants(type, listOption(invocation, "variant"));
  if (typeof variants === "string") return variants;
  const isNewSwitch = present === undefined && type === "boolean" && Object.keys(variants).length === 0;
  const trial = readTrial(key, present, invocation);
  if (typeof trial === "string") return trial;
  const feature = textOption(invocation, "feature") ?? present?.feature;
  const parsed = flagDefinitionSchema.safeParse({
    type,
    variants: isNewSwitch ? { on: true, off: false } : { ...present?.variants, ...variants },
    state: present?.state ?? "off",
    offVariant: textOption(invocation, "off") ?? present?.offVariant ?? "off",
    defaultVariant: textOption(invocation, "default") ?? present?.defaultVariant ?? "on",
    rollout: trial,
    ...(feature !== undefined && { feature }),
  });
  if (!parsed.success) return z.prettifyError(parsed.error);
  const faults = faultsOfFlag(parsed.data);
  return faults.length === 0 ? parsed.data : faults.map((fault) => oneLine(fault)).join("\n");
}

function readVariants(type: string, texts: readonly string[]): { readonly [name: string]: Json } | string {
  const variants: { [name: string]: Json } = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 1) return `--variant is ${oneLine(text)}; accepted: <name>=<value>.`;
    const value = type === "string" ? text.slice(at + 1) : parseJson(text.slice(at + 1));
    if (value === undefined) return `The value of --variant ${oneLine(text)} is no JSON; accepted: e.g. ${text.slice(0, at)}=true.`;
    variants[text.slice(0, at)] = value;
  }
  return variants;
}

function readTrial(key: string, present: Flag | undefined, invocation: CommandInvocation): FlagDefinition["rollout"] | string {
  const [tried, share] = [textOption(invocation, "try"), textOption(invocation, "share")];
  const isTaken = invocation.options["trial"] === false;
  if ((tried === undefined) !== (share === undefined))
    return "--try and --share come together: which variant, and for which share of the targeting keys.";
  if (isTaken && tried !== undefined) return "--no-trial takes the variant on trial back, and --try sets one; accepted: one of them.";
  if (isTaken) return null;
  if (tried === undefined || share === undefined) return present?.rollout ?? null;
  if (!(/^(0?\.\d+|[01](\.0+)?)$/.test(share) && Number(share) > 0))
    return `--share is ${oneLine(share)}; accepted: above 0, at most 1, e.g. 0.1.`;
  // The same salt keeps the keys that are on trial already, and the same rollout goes on counting them.
  if (present?.rollout?.variant === tried) return { ...present.rollout, share: Number(share) };
  return { variant: tried, share: Number(share), salt: `${key.slice(0, 60)} ${invocation.context.clock.now()}` };
}

function parseJson(text: string): Json | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pathOf(key: string): string {
  return `/api/flags/${encodeURIComponent(key)}`;
}

function describeState({ state, offVariant, defaultVariant, rollout }: Flag): string {
  if (state !== "on") return `off: ${offVariant} for every key`;
  return `on: ${defaultVariant}${rollout === null ? "" : `, ${describeTrial(rollout)}`}`;
}

function describeTrial({ variant, share, rollout }: NonNullable<FlagDefinition["rollout"]>): string {
  return `${variant} for ${formatShare(share)} of the keys${rollout === undefined ? "" : ` by rollout ${rollout}`}`;
}

function rowOf({ key, state, offVariant, defaultVariant, rollout, feature = "", followers, at, by, reason }: FlagView): readonly string[] {
  const trial = rollout === null ? "" : `${rollout.variant} ${formatShare(rollout.share)}`;
  return [
    key,
    state,
    state === "on" ? defaultVariant : offVariant,
    trial,
    feature,
    `${followers.current}/${followers.followers}`,
    formatInstant(at),
    by,
    reason,
  ];
}

function renderFlag(flag: FlagView): string {
  const { key, type, variants, offVariant, defaultVariant, rollout, feature, followers, version, at, by, reason } = flag;
  const useOf = (name: string) =>
    [
      ...(name === defaultVariant ? ["default"] : []),
      ...(name === offVariant ? ["while off"] : []),
      ...(name === rollout?.variant ? [`on trial ${formatShare(rollout.share)}`] : []),
    ].join(", ");
  return [
    oneLine(`Flag ${key} is ${describeState(flag)}`),
    "\n",
    oneLine(`Version ${version} of ${formatInstant(at)} by ${by}: ${reason}`),
    "\n",
    ...(feature === undefined ? [] : [oneLine(`Feature ${feature}`), "\n"]),
    `${followers.current} of ${followers.followers} processes that follow it hold this version.\n\n`,
    renderTable([
      ["VARIANT", "VALUE", "USE"],
      ...Object.entries(variants).map(([name, value]) => [name, JSON.stringify(value).slice(0, 200), useOf(name)]),
    ]),
    `\nType ${type}\n`,
  ].join("");
}
