import type { Redis } from "ioredis";

/** Which page of a sorted set. */
export interface PageRequest {
  /** The sorted set's key. */
  readonly source: string;
  /** That of the page before; undefined for the first page. */
  readonly cursor: string | undefined;
  readonly limit: number;
}

/**
 * One page of a sorted set, newest first, of what `load` answers. The cursor is the place of the last item looked at, so that a page may be short but
 * nothing is skipped. At most 2000 members are looked at for one page.
 */
export async function pageOf<Item>(
  redis: Redis,
  { source, cursor, limit }: PageRequest,
  load: (id: string) => Promise<Item | undefined>,
): Promise<{ readonly items: readonly Item[]; readonly nextCursor?: string } | undefined> {
  if (cursor !== undefined && !/^\d{1,10}$/.test(cursor)) return undefined;
  const items: Item[] = [];
  // Counted from the oldest end, so that new members do not move what the cursor points at.
  const size = await redis.zcard(source);
  let next = cursor === undefined ? size : Math.min(Number(cursor), size);
  for (let scanned = 0; next > 0 && scanned < 2000; ) {
    const start = Math.max(0, next - 100);
    const ids = (await redis.zrange(source, start, String(next - 1))).toReversed();
    const loaded = await Promise.all(ids.map((id) => load(id)));
    for (const item of loaded) {
      next -= 1;
      scanned += 1;
      if (item !== undefined) items.push(item);
      if (items.length === limit) return next > 0 ? { items, nextCursor: String(next) } : { items };
    }
    if (ids.length === 0) break;
  }
  return next > 0 ? { items, nextCursor: String(next) } : { items };
}
