import { randomUUID } from "node:crypto";

/** A name of this process that no other process has. */
export function createInstanceName(): string {
  return randomUUID();
}
