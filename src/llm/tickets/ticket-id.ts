import { sha256 } from "../../core/json.ts";

const maxLength = 128;

/** The id of a batch's ticket, made of batch and reference, so that the same list handed in twice starts nothing twice. */
export function ticketIdOf(batchId: string, externalRef: string): string {
  const readable = `${batchId}/${externalRef}`;
  return readable.length <= maxLength ? readable : `${readable.slice(0, maxLength - 33)}/${sha256(readable).slice(0, 32)}`;
}
