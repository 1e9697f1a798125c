/** The last item of a page of an index: its id and its score, a time in milliseconds. */
export interface IndexPlace {
  readonly id: string;
  readonly score: string;
}

/** As far as a Date reaches, UTC milliseconds. */
export const latestInstant = 8_640_000_000_000_000;

/** The place as opaque text, for a URL. */
export function formatCursor({ id, score }: IndexPlace): string {
  return Buffer.from(`${score} ${id}`).toString("base64url");
}

/** The place that a cursor names; an empty one for the first page. Undefined: the text is no cursor of ours. */
export function parseCursor(cursor: string | undefined): IndexPlace | undefined {
  if (cursor === undefined) return { id: "", score: "0" };
  const [, score, id] = /^(\d{1,16}) ([A-Za-z0-9_-]{1,64})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  return score === undefined || id === undefined ? undefined : { id, score };
}
