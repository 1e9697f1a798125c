import type { ComponentChildren } from "preact";
import { Icon } from "./icons.tsx";
import { dateAndTime, machineTime, timeOfDay } from "./page-format.ts";
import type { Trouble } from "./resource.ts";
import type { StateView } from "./run/state-words.ts";

/** A state as a word with its drawing and color. */
export function Pill({ view }: { readonly view: StateView }) {
  return (
    <span class={`pill ${view.tone}`}>
      <Icon name={view.icon} />
      {view.word}
    </span>
  );
}

/** A time of day in UTC; `day` adds the date. */
export function Time({ at, day = false }: { readonly at: number; readonly day?: boolean }) {
  return <time dateTime={machineTime(at)}>{day ? dateAndTime(at) : timeOfDay(at)}</time>;
}

/** A sentence with the parts between backticks as code. */
export function WithCode({ text }: { readonly text: string }) {
  const parts = text.split("`");
  // An odd number of backticks is not a pair around code.
  if (parts.length % 2 === 0) return <>{text}</>;
  return <>{parts.map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}</>;
}

/** Shown instead of a page that could not be read, or above one that was read before. */
export function TroubleBanner({ trouble, readAt }: { readonly trouble: Trouble; readonly readAt?: number | undefined }) {
  return (
    <div class="banner bad" role="alert">
      <Icon name="warning" />
      <p>
        {readAt === undefined ? null : (
          <b>
            As of <Time at={readAt} /> UTC.{" "}
          </b>
        )}
        {trouble.detail} {trouble.status === undefined || trouble.status >= 500 ? "The page tries again every few seconds." : null}
      </p>
    </div>
  );
}

/** A sentence where a list is empty. */
export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** While nothing was read yet. */
export function Loading({ what }: { readonly what: string }) {
  return (
    <p class="empty" role="status">
      Reading {what} …
    </p>
  );
}
