/** The store did not confirm durability: down, full, read-only or too slow. The webhook answers 503. */
export class StoreUnavailable extends Error {
  constructor(cause: unknown) {
    super("The run store cannot make this durable right now.", { cause });
    this.name = "StoreUnavailable";
  }
}
