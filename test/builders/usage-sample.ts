/** How genai-prices names a provider and the form in which it answers. */
export interface Flavor {
  readonly id: string;
  readonly flavor: string;
}

/** An object as JSON has it. */
export interface Json {
  [key: string]: unknown;
}

/** A usage object that was made from the schema of its shape. */
export interface GeneratedUsage {
  readonly schema: string;
  readonly provider: string;
  readonly model: string;
  readonly usage: Json;
  /** Absent for the objects of libraries, which genai-prices does not read. */
  readonly opinion?: Flavor | undefined;
}
