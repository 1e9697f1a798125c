/** Receives what happened, for metrics, log and guardrails. Never throws, never awaited. */
export type EventSink<Event extends { readonly kind: string }> = (event: Event) => void;
