import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { JournalEntry } from "../../../packages/sdk/src/wire/journal.ts";
import { useServices } from "../services.ts";
import { announcements, type StepName } from "./announcements.ts";

const pauseMs = 5000;

/** Tells a person who hears the page what is new: at most one sentence in five seconds, the newest one. */
export function Announcer({ journal, nameOf }: { readonly journal: readonly JournalEntry[]; readonly nameOf: StepName }) {
  const { clock } = useServices();
  const sentence = useSignal("");
  // What was there when the page opened is read, not announced.
  const heard = useRef(journal.length);
  const cancel = useRef<(() => void) | undefined>(undefined);
  const spokeAt = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    const news = announcements(journal, heard.current, nameOf);
    heard.current = journal.length;
    const last = news.at(-1);
    if (last === undefined) return;
    cancel.current?.();
    cancel.current = clock.after(Math.max(0, spokeAt.current + pauseMs - clock.now()), () => {
      spokeAt.current = clock.now();
      sentence.value = last;
    });
  }, [journal]);
  useEffect(() => () => cancel.current?.(), []);
  return (
    <p class="sr" aria-live="polite" id="news">
      {sentence.value}
    </p>
  );
}
