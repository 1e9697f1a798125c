import { z } from "zod";
import type { PromptState, PromptVersion } from "../../../packages/sdk/src/wire/prompts.ts";
import type { Clock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import { layoutHash, type PromptStore } from "../../llm/prompts/prompt.ts";
import type { BoundedSender } from "../../platform/requests/bounded-request.ts";
import { fromLangfuse, langfusePromptSchema, toLangfuse } from "./langfuse-prompt.ts";

/** Where Langfuse is, with the project's keys as headers. */
export interface LangfuseEndpoint {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
}

const pageSchema = z.looseObject({
  data: z.array(z.unknown()),
  meta: z.looseObject({ totalPages: z.int() }),
});
const rowSchema = z.looseObject({ name: z.string(), versions: z.array(z.int()), labels: z.array(z.string()) });
const namedSchema = z.looseObject({ name: z.string() });

interface LangfuseCall {
  readonly method: "GET" | "POST" | "PATCH";
  /** Below the address of the prompts, with the query. */
  readonly path: string;
  readonly body?: object;
}

type Row = z.output<typeof rowSchema>;

/** What Langfuse lists; `unreadable`: names of rows that cannot be read, "" where even the name cannot. */
interface Listing {
  readonly rows: readonly Row[];
  readonly unreadable: readonly string[];
}

/** Langfuse answered with a body that is not one of its prompts. */
class UnreadablePrompt extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UnreadablePrompt";
  }
}

/** What the prompts of Langfuse work with. */
interface LangfuseDeps {
  readonly clock: Pick<Clock, "now">;
  readonly log: Pick<Log, "warn">;
}

const pageSize = 100;
const maxPages = 50;
const maxCached = 500;
/** Versions among which one with the same layout is looked for. */
const maxSearchedVersions = 20;

/**
 * Prompts in Langfuse, by its public API. Labels there are unique over the versions of a prompt: giving one moves it, and none can be taken away, so that undoing
 * a move is giving the label back. Its label change has no condition; what was seen is read again right before and right after.
 * Rejects with StoreUnavailable when Langfuse does not answer, and with an Error when it refuses our keys or our request.
 * https://api.reference.langfuse.com
 */
export function createLangfusePrompts(sender: BoundedSender, endpoint: LangfuseEndpoint, { clock, log }: LangfuseDeps): PromptStore {
  const base = `${endpoint.url}/api/public/v2/prompts`;

  /** The parsed answer, or undefined for 404. */
  const call = async <Value>({ method, path, body }: LangfuseCall, shape: z.ZodType<Value>): Promise<Value | undefined> => {
    const answer = await sender.send({
      method,
      url: `${base}${path}`,
      headers: { ...endpoint.headers, accept: "application/json", ...(body !== undefined && { "content-type": "application/json" }) },
      signal: new AbortController().signal,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (answer.kind === "failed") throw new StoreUnavailable(answer.failure.message);
    const { status, body: text, truncated } = answer;
    if (status === 404) return undefined;
    if (status >= 500 || status === 429 || status === 408) throw new StoreUnavailable(`Langfuse answered ${status}.`);
    if (status < 200 || status >= 300) throw new Error(`Langfuse refused ${method} ${path.split("?")[0] ?? ""} with ${status}.`);
    const parsed = truncated ? undefined : shape.safeParse(parseJson(text));
    if (parsed?.success === true) return parsed.data;
    throw new UnreadablePrompt(`Langfuse answered ${method} ${path.split("?")[0] ?? ""} with a body that is not one of its prompts.`);
  };

  const one = async (name: string, query: string) =>
    call({ method: "GET", path: `/${encodeURIComponent(name)}?${query}` }, langfusePromptSchema);
  // What a version says never changes.
  const cache = new Map<string, PromptVersion>();
  const version = async (name: string, number: number): Promise<PromptVersion | undefined> => {
    const key = `${number} ${name}`;
    const cached = cache.get(key);
    if (cached !== undefined) return cached;
    const fetched = await one(name, `version=${number}`);
    if (fetched === undefined) return undefined;
    const made = fromLangfuse(fetched);
    cache.set(key, made);
    const oldest = cache.keys().next();
    if (cache.size > maxCached && oldest.done !== true) cache.delete(oldest.value);
    return made;
  };
  const labelled = async (name: string, label: string): Promise<number | null> =>
    (await one(name, `label=${encodeURIComponent(label)}`))?.version ?? null;

  /** Row by row: in the project are prompts of other people too. */
  const listed = async (filter: string): Promise<Listing> => {
    const rows: Row[] = [];
    const unreadable: string[] = [];
    for (let page = 1; page <= maxPages; page += 1) {
      const answer = await call({ method: "GET", path: `?${filter}page=${page}&limit=${pageSize}` }, pageSchema);
      for (const item of answer?.data ?? []) {
        const row = rowSchema.safeParse(item);
        if (row.success) rows.push(row.data);
        else unreadable.push(namedSchema.safeParse(item).data?.name ?? "");
      }
      if (page >= (answer?.meta.totalPages ?? 0)) break;
    }
    return { rows, unreadable };
  };
  const rowOf = async (name: string): Promise<Row | undefined> => {
    const { rows, unreadable } = await listed(`name=${encodeURIComponent(name)}&`);
    const row = rows.find((one) => one.name === name);
    // One that cannot be read is not one that does not exist.
    if (row === undefined && unreadable.some((one) => one === name || one === ""))
      throw new UnreadablePrompt(`Langfuse lists the prompt ${name} in a way that cannot be read.`);
    return row;
  };
  /** Undefined and logged where Langfuse's answer for this one cannot be read. */
  const orSkipped = async <Value>(prompt: string, read: Promise<Value>): Promise<Value | undefined> => {
    try {
      return await read;
    } catch (error) {
      if (!(error instanceof UnreadablePrompt)) throw error;
      log.warn({ prompt, reason: error.message }, "A prompt of Langfuse cannot be read; it is left out of the list.");
      return undefined;
    }
  };

  const stateOf = async ({ name, versions, labels }: Row): Promise<PromptState> => {
    // A row tells labels and versions, and not which belongs to which.
    const labeledVersions = await Promise.all(
      labels.filter((label) => label !== "latest").map(async (label) => [label, await labelled(name, label)] as const),
    );
    const assignedVersions = labeledVersions.filter((entry): entry is readonly [string, number] => entry[1] !== null);
    return { name, latest: Math.max(0, ...versions), labels: Object.fromEntries(assignedVersions) };
  };

  const versions = async (name: string, limit: number): Promise<readonly PromptVersion[]> => {
    const row = await rowOf(name);
    const newest = [...(row?.versions ?? [])].sort((a, b) => b - a).slice(0, limit);
    const fetched = await Promise.all(newest.map((number) => orSkipped(name, version(name, number))));
    return fetched.filter((item) => item !== undefined);
  };

  return {
    async create(prompt, wanted, by) {
      const hash = layoutHash(wanted.layout);
      const existing = (await versions(prompt, maxSearchedVersions)).find((made) => made.hash === hash);
      if (existing !== undefined) return existing;
      const body = toLangfuse(prompt, wanted, { createdBy: by, createdAt: clock.now() });
      const made = await call({ method: "POST", path: "", body }, langfusePromptSchema);
      if (made === undefined) throw new Error("Langfuse answered 404 to a new version; is the address right?");
      return fromLangfuse(made);
    },
    version,
    async read(prompt) {
      const row = await rowOf(prompt);
      return row === undefined ? undefined : stateOf(row);
    },
    versions,
    async list({ after, limit }) {
      const { rows, unreadable } = await listed("");
      if (unreadable.length > 0)
        log.warn(
          { prompts: unreadable.slice(0, 10), count: unreadable.length },
          "Prompts of Langfuse cannot be read; they are left out of the list.",
        );
      const names = rows.toSorted((a, b) => (a.name < b.name ? -1 : 1)).filter(({ name }) => after === undefined || name > after);
      const states: PromptState[] = [];
      // A full page as long as there are more, whatever is left out: a short one says that it is the last.
      for (let from = 0; from < names.length && states.length < limit; ) {
        const part = names.slice(from, from + limit - states.length);
        const read = await Promise.all(part.map(async (row) => orSkipped(row.name, stateOf(row))));
        states.push(...read.filter((state) => state !== undefined));
        from += part.length;
      }
      return states;
    },
    async moveLabel({ prompt, label, expected, to }) {
      const row = await rowOf(prompt);
      if (row === undefined || (to !== null && !row.versions.includes(to))) return { kind: "not_found" };
      const present = await labelled(prompt, label);
      if (present !== expected) return { kind: "conflict", present };
      if (present === to) return { kind: "moved", before: present, after: to };
      if (to === null)
        return { kind: "unsupported", reason: `Langfuse cannot take the label ${label} away; give it to another version instead.` };
      await call({ method: "PATCH", path: `/${encodeURIComponent(prompt)}/versions/${to}`, body: { newLabels: [label] } }, z.unknown());
      const after = await labelled(prompt, label);
      // Another client wrote between the two reads: its version stays.
      return after === to ? { kind: "moved", before: present, after } : { kind: "conflict", present: after };
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
