/** One event of a stream, as it came over the wire. */
export interface ReceivedEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** An event larger than this is none of this server's. In characters. */
const maxEvent = 65_536;

/**
 * Reads server-sent events from pieces of text, wherever these are cut. The result takes the next piece and gives the events that are complete
 * with it. Throws when an event is larger than 64 kB.
 */
export function createEventReader(): (piece: string) => readonly ReceivedEvent[] {
  let open = "";
  return (piece) => {
    const blocks = (open + piece).split("\n\n");
    open = blocks.pop() ?? "";
    if (open.length > maxEvent) throw new Error("An event is larger than 64 kB.");
    return blocks.flatMap(eventOf);
  };
}

/** None: a comment, which keeps the connection open. */
function eventOf(block: string): readonly ReceivedEvent[] {
  const fields = new Map(
    block.split("\n").flatMap((line) => {
      const at = line.indexOf(": ");
      return at < 1 ? [] : [[line.slice(0, at), line.slice(at + 2)] as const];
    }),
  );
  const event = fields.get("event");
  return event === undefined ? [] : [{ id: fields.get("id") ?? "", event, data: fields.get("data") ?? "" }];
}
