/** Whether the store may be used now. What accepts or claims work asks it first. */
export interface StoreGate {
  /** False while the store is unfit or has not been judged. */
  isFit(): boolean;
  /** Resolves when the store is fit; rejects with the signal's reason when aborted first. */
  untilFit(signal: AbortSignal): Promise<void>;
  /** Calls `changed` after each change of {@link StoreGate.isFit}; the result ends that. */
  onChange(changed: (isFit: boolean) => void): () => void;
}
