import type { Clock } from "./clock.ts";
import { type Http, Refused, Unreachable } from "./http.ts";

/** Documents of one sort as runbookd serves them, by name. */
export interface ServedDocuments<Document> {
  /** Rejects with Unreachable when runbookd cannot be asked and nothing is known yet, with Refused when it has no such document. */
  of(name: string): Promise<Document>;
  /** Stops asking for changes. */
  close(): void;
}

/** What one sort of documents is. */
export interface DocumentSort<Document> {
  readonly path: (name: string) => string;
  readonly parse: (body: unknown) => Document;
  /** Of a document that does not exist. */
  readonly missing: (name: string) => string;
  /** Told when a document has changed since it was first read. */
  readonly onChanged: (name: string, before: Document, after: Document) => void;
}

/** Serves from memory and asks for changes every `everyMs` with the entity tag that it has; while runbookd is away, what is known stays. */
export function createServedDocuments<Document>(
  { path, parse, missing, onChanged }: DocumentSort<Document>,
  { http, clock, everyMs }: { readonly http: Http; readonly clock: Clock; readonly everyMs: number },
): ServedDocuments<Document> {
  const cached = new Map<string, { document: Document; etag: string }>();
  const loading = new Map<string, Promise<Document>>();
  const watched = new Set<string>();
  const stopped = new AbortController();

  const load = async (name: string): Promise<Document> => {
    const entry = cached.get(name);
    const answer = await http.getChanged(path(name), entry?.etag);
    if (answer.kind === "missing") throw new Refused(404, missing(name));
    if (answer.kind === "unchanged") {
      if (entry !== undefined) return entry.document;
      throw new Unreachable("runbookd answered that nothing has changed, and nothing is known.");
    }
    const document = parse(answer.body);
    cached.set(name, { document, etag: answer.etag ?? "" });
    if (entry !== undefined) onChanged(name, entry.document, document);
    return document;
  };

  const watch = async (name: string): Promise<void> => {
    while (!stopped.signal.aborted) {
      try {
        await clock.sleep(everyMs, stopped.signal);
        await load(name);
      } catch {
        // What is known stays until runbookd answers again.
      }
    }
  };

  return {
    async of(name) {
      const entry = cached.get(name);
      if (entry !== undefined) return entry.document;
      const first = loading.get(name) ?? load(name);
      loading.set(name, first);
      try {
        const document = await first;
        if (!watched.has(name)) void watch(name);
        watched.add(name);
        return document;
      } finally {
        loading.delete(name);
      }
    },
    close: () => stopped.abort(new Error("closed")),
  };
}
