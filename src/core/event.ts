/** Receives what happened, for metrics, the log and guardrails. Never throws; the sender does not wait for it. */
export type EventSink<Event extends { readonly kind: string }> = (event: Event) => void;

/** One sink that passes every event to each of `sinks`, in their order. */
export function sendToAll<Event extends { readonly kind: string }>(sinks: readonly EventSink<Event>[]): EventSink<Event> {
  return (event) => {
    for (const sink of sinks) sink(event);
  };
}
