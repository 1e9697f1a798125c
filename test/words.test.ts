import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "@jest/globals";

const root = join(import.meta.dirname, "..");
const product = ["src", "workers", "packages/sdk/src"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => /\.(?:tsx?|lua)$/.test(file) && !/\.test\.tsx?$/.test(file))
    .map((file) => join(folder, file)),
);

/** Words that were metaphors or meant several things; in no name, whatever it names. */
const retiredWords = ["desk", "board", "sight", "doorbell", "keeper", "patience", "hand", "ring", "rung", "beat", "wl", "longest"];

/** Names that had a second meaning or a private one. Their words may stand in other names. */
const retiredNames = [
  ["RunLedger", "WorkloadLedger", "memory-ledger", "memory-run-ledger", "ledgerFaults"], // The journal of runs, or the budgets' ledger.
  ["createCanaryRecord", "createCanaryStore", "watch-canary", "holdCanary", "CanaryState"], // A watchdog, or a rollout.
  ["createModelRoutes", "AnswerReply", "replyOf", "JsonReply"],
  ["RunHold", "TicketHold", "BatchHold", "isHeldBack", "holdOf"], // A lease, or a reason why something is blocked.
  ["ringAll", "createNearDoorbell", "near", "far"],
  ["TicketCare", "care", "pace", "Pace"],
  // The feed of hints is what others call it; what fed a queue stays `enqueue`.
  ["fed", "feeder", "led", "leadingTickets"],
  ["enough", "enoughRequests", "mostRounds", "mostSteps", "leastDamage", "mostFed", "leastFed"], // min and max.
  ["keepMs", "keepEndedMs", "seenMs", "lookEveryMs"], // retention, ttl and interval.
  ["restFrozen", "outsideFreeze", "set-aside", "give-up", "mend-run"],
].flat();

/** Everyday words that say nothing about the thing; their uses in names of the product, of which there were 2,578. */
const everydayWords = [
  "known",
  "own",
  "seen",
  "found",
  "rest",
  "left",
  "note",
  "noted",
  "notes",
  "look",
  "looks",
  "looked",
  "tell",
  "told",
];
const maxEverydayUses = 257;
/** Names of the language are not ours to choose. */
const namesOfTheLanguage = new Set(["hasOwn"]);

/** Names of our own choice are spelled as in American English. Words that others read, such as the finding `analysed`, keep their spelling. */
const british = /(?:analy|normali|initiali|summari|recogni|authori|organi|optimi|seriali|canoni[sc]ali)s(?:e|ing|er)/i;
/** Values and keys that leave the process, or come from outside. */
const spelledOutside = new Set(["unrecognised_shape", "unauthorised"]);

/** The words of a name: `createNearDoorbell` and `near-doorbell` are both "create near doorbell". */
const wordsOf = (name: string) =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/[-_.]/g, " ")
    .toLowerCase()
    .split(" ");
const isRetired = (name: string) =>
  retiredNames.includes(name) ||
  wordsOf(name).some((word) => retiredWords.includes(word)) ||
  (british.test(name) && !spelledOutside.has(name));

/** A source without its comments and the text of its strings, so that only names are left. */
const withoutText = (source: string) =>
  source
    .replaceAll(/\/\*[\s\S]*?\*\//g, " ")
    .replaceAll(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, '""')
    .replaceAll(/(?<![:"'`\\])\/\/.*$/gm, " ")
    // What stands in a template outside its holes.
    .replaceAll(/`(?:\\.|[^`\\])*`/g, (text) => [...text.matchAll(/\$\{([^}]*)\}/g)].map(([, hole]) => ` ${hole} `).join(""));
const namesIn = (file: string) => withoutText(readFileSync(join(root, file), "utf8")).match(/[A-Za-z_$][\w$]*/g) ?? [];

it("recognizes a retired name, and nothing that only contains its letters", () => {
  const names = ["QuestionDesk", "near-doorbell", "CacheBoard", "normaliseUsage", "RunHold", "leadingTickets", "{wl}"];
  expect(names.filter((name) => !isRetired(name.replaceAll(/[{}]/g, "")))).toEqual([]);
  expect(["dashboardFiles", "insight", "keyboard", "normalizeUsage", "heartbeat", "string", "handler"].filter(isRetired)).toEqual([]);
});

it("names no file of the product by a retired name", () => {
  expect(product.length).toBeGreaterThan(500);
  expect(product.filter((file) => isRetired(file.replace(/^.*\/|\.(?:tsx?|lua)$/g, "")))).toEqual([]);
});

it("uses no retired name in the product, and the everyday words at most a tenth as often as once", () => {
  const names = product.filter((file) => file.endsWith(".ts")).flatMap((file) => namesIn(file).map((name) => ({ file, name })));
  expect(names.length).toBeGreaterThan(100_000);
  expect([...new Set(names.filter(({ name }) => isRetired(name)).map(({ file, name }) => `${file}: ${name}`))]).toEqual([]);
  const ours = names.filter(({ name }) => !namesOfTheLanguage.has(name));
  const everyday = ours.flatMap(({ name }) => wordsOf(name).filter((word) => everydayWords.includes(word)));
  expect(everyday.length).toBeLessThanOrEqual(maxEverydayUses);
  expect(everyday).not.toEqual([]);
});

it("has no retired name in settings, metrics, labels, actions and Redis keys", () => {
  const lines = ["configuration", "metrics", "actions"].flatMap((page) =>
    [...readFileSync(join(root, `docs/reference/${page}.md`), "utf8").matchAll(/`([A-Za-z_][\w-]*)`/g)].map(([, name = ""]) => name),
  );
  const keys = [...readFileSync(join(root, "docs/redis.md"), "utf8").matchAll(/^\| `([^`]+)`/gm)].flatMap(([, key = ""]) =>
    key.split(/[:{}<>*]/),
  );
  expect([lines.length > 300, keys.length > 100]).toEqual([true, true]);
  expect([...new Set([...lines, ...keys.filter((part) => part !== "wl")])].filter(isRetired)).toEqual([]);
});
