import { sha256 } from "../../core/json.ts";

const longest = 128;

/** The id of a batch's ticket, made of batch and reference, so that the same list handed in twice starts nothing twice. */
export function ticketIdOf(batchId: string, externalRef: string): string {
  const readable = `${batchId}/${externalRef}`;
  return readable.length <= longest ? readable : `${readable.slice(0, longest - 33)}/${sha256(readable).slice(0, 32)}`;
}
