import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { serveLoopback } from "../../demo/simulators/serve-loopback.ts";
import { answerFault, type HttpFaults } from "./http-faults.ts";

/** Behaviors of flagd that a caller must survive, each behind a switch. */
export interface FlagdQuirks extends HttpFaults {
  /** Serves what it read last until it is refreshed, as a watcher that polls does. */
  stale: boolean;
  /** Of a disabled flag, and of one without a default variant, it says that there is none, as older versions do. */
  disabledIsUnknown: boolean;
  /** Members that it does not know make it reject the whole file, and serve the one before. */
  strict: boolean;
}

/** A flagd that watches one file, as far as OFREP goes. */
export interface FlagdServer extends AsyncDisposable {
  readonly url: string;
  readonly quirks: FlagdQuirks;
  /** Reads the file now. */
  refresh(): Promise<void>;
}

type Rule = null | boolean | number | string | Rule[] | { [operator: string]: Rule };
const flagSchema = z.looseObject({
  state: z.string(),
  variants: z.record(z.string(), z.json()),
  defaultVariant: z.string().nullish(),
  targeting: z.json().optional(),
});
const fileSchema = z.looseObject({ flags: z.record(z.string(), flagSchema) });
type Flag = z.output<typeof flagSchema>;

/**
 * Evaluates a file as flagd does, by a part of its rules: `if`, `==`, `in`, `var`, `starts_with` and `fractional`, whose buckets are those of MurmurHash3 over
 * key and targeting key. A rule that it cannot evaluate is PARSE_ERROR, on which applications take their own default. https://github.com/open-feature/flagd
 */
export async function startFlagd(file: string): Promise<FlagdServer> {
  const quirks: FlagdQuirks = { fault: undefined, stale: false, disabledIsUnknown: false, strict: false };
  let flags = new Map<string, Flag>();
  const refresh = async () => {
    const parsed = fileSchema.safeParse(JSON.parse(await readFile(file, "utf8")));
    // A file with one bad flag is rejected as a whole, and the flags before it stay.
    if (!parsed.success) return;
    const read = new Map(Object.entries(parsed.data.flags));
    const isBad = ({ variants, defaultVariant }: Flag) => typeof defaultVariant === "string" && !Object.hasOwn(variants, defaultVariant);
    const isOdd = (flag: Flag) =>
      Object.keys(flag).some((name) => !["state", "variants", "defaultVariant", "targeting", "metadata"].includes(name));
    if ([...read.values()].some((flag) => isBad(flag) || (quirks.strict && isOdd(flag)))) return;
    flags = read;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (answerFault(quirks, request, response)) return;
    if (!quirks.stale) await refresh();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const answer = (status: number, body: object) =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const path = /^\/ofrep\/v1\/evaluate\/flags\/(.+)$/.exec(
      decodeURIComponent(new URL(request.url ?? "/", "http://flagd.invalid").pathname),
    );
    const key = path?.[1] ?? "";
    if (key === "" || key.includes("/") || request.method !== "POST") return void response.writeHead(404).end("404 page not found\n");
    const body = z.object({ context: z.record(z.string(), z.json()) }).safeParse(JSON.parse(Buffer.concat(chunks).toString("utf8")));
    const notFound = () => answer(404, { key, errorCode: "FLAG_NOT_FOUND", errorDetails: `flag \`${key}\` does not exist`, metadata: {} });
    const flag = flags.get(key);
    if (!body.success)
      return answer(400, { key, errorCode: "INVALID_CONTEXT", errorDetails: "Provider context is not valid", metadata: {} });
    if (flag === undefined) return notFound();
    const own = (reason: string) => (quirks.disabledIsUnknown ? notFound() : answer(200, { key, reason, metadata: {} }));
    if (flag.state === "DISABLED") return own("DISABLED");
    const serve = (variant: string, reason: string) => answer(200, { value: flag.variants[variant], key, reason, variant, metadata: {} });
    const serveDefault = (reason: string) =>
      typeof flag.defaultVariant === "string" ? serve(flag.defaultVariant, reason) : own("DEFAULT");
    if (flag.targeting === undefined || JSON.stringify(flag.targeting) === "{}") return serveDefault("STATIC");
    const result = evaluate(flag.targeting, { ...body.data.context, $flagd: { flagKey: key } });
    if (result === undefined)
      return answer(400, { key, errorCode: "PARSE_ERROR", errorDetails: `error parsing the flag \`${key}\``, metadata: {} });
    if (result === null) return serveDefault("DEFAULT");
    const variant = JSON.stringify(result).replaceAll('"', "");
    if (Object.hasOwn(flag.variants, variant)) return serve(variant, "TARGETING_MATCH");
    answer(400, { key, errorCode: "GENERAL", errorDetails: "error processing the flag for evaluation", metadata: {} });
  };

  await refresh();
  const server = await serveLoopback((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  return { url: server.url, quirks, refresh, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

type Context = { readonly [name: string]: Rule };

/** undefined: a rule that it does not know. */
function evaluate(rule: Rule, context: Context): Rule | undefined {
  if (rule === null || typeof rule !== "object") return rule;
  if (Array.isArray(rule)) return rule.map((item) => evaluate(item, context) ?? null);
  const [entry, ...more] = Object.entries(rule);
  if (entry === undefined || more.length > 0) return undefined;
  const [operator, given] = entry;
  const list = Array.isArray(given) ? given : [given];
  if (operator === "if") {
    for (let at = 0; at + 1 < list.length; at += 2) {
      const condition = evaluate(list[at] ?? null, context);
      if (condition === undefined) return undefined;
      if (condition !== null && condition !== false && condition !== 0 && condition !== "") return evaluate(list[at + 1] ?? null, context);
    }
    return list.length % 2 === 1 ? evaluate(list.at(-1) ?? null, context) : null;
  }
  const values = list.map((item) => evaluate(item, context));
  if (values.includes(undefined)) return undefined;
  const [first, second] = values;
  switch (operator) {
    case "var":
      return typeof first === "string" && Object.hasOwn(context, first) ? (context[first] ?? null) : (second ?? null);
    case "==":
      return first === second;
    case "in":
      return (typeof second === "string" || Array.isArray(second)) && typeof first === "string" ? second.includes(first) : false;
    case "starts_with":
      return typeof first === "string" && typeof second === "string" ? first.startsWith(second) : null;
    case "fractional":
      return fractional(values, context);
    default:
      return undefined;
  }
}

function fractional(values: readonly (Rule | undefined)[], context: Context): Rule {
  const flagd = context["$flagd"];
  const flagKey =
    typeof flagd === "object" && flagd !== null && !Array.isArray(flagd) && typeof flagd["flagKey"] === "string" ? flagd["flagKey"] : "";
  const [first] = values;
  const targetingKey = context["targetingKey"];
  const bucketBy =
    typeof first === "string" ? first : typeof targetingKey === "string" && targetingKey !== "" ? flagKey + targetingKey : undefined;
  if (bucketBy === undefined) return null;
  const shares = values
    .filter((value) => Array.isArray(value))
    .map(([variant, weight]) => ({ variant: variant ?? null, weight: BigInt(Number(weight ?? 1)) }));
  const total = shares.reduce((sum, { weight }) => sum + weight, 0n);
  const bucket = (BigInt(murmur32(Buffer.from(bucketBy))) * total) >> 32n;
  let end = 0n;
  for (const { variant, weight } of shares) {
    end += weight;
    if (bucket < end) return variant;
  }
  return null;
}

/** MurmurHash3_x86_32 with seed 0; https://github.com/aappleby/smhasher */
function murmur32(bytes: Buffer): number {
  const mix = (k: number) => Math.imul(rotate(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593);
  let hash = 0;
  const whole = bytes.length - (bytes.length % 4);
  for (let at = 0; at < whole; at += 4) hash = (Math.imul(rotate(hash ^ mix(bytes.readInt32LE(at)), 13), 5) + 0xe6546b64) | 0;
  let rest = 0;
  for (let at = bytes.length - 1; at >= whole; at -= 1) rest = (rest << 8) | (bytes[at] ?? 0);
  if (whole < bytes.length) hash ^= mix(rest);
  hash ^= bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}
