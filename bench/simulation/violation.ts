/** Something that must never be, found after one step of a world. */
export interface Violation {
  /** Name of the invariant. */
  readonly rule: string;
  readonly what: string;
}
