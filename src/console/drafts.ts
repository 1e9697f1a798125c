import { type Signal, signal } from "@preact/signals";

/** Texts that a person has typed and not sent. They live as long as the tab, so that a session that ends loses none of them; nothing stores them. */
export interface Drafts {
  /** The text of one field; the same signal for the same name. */
  of(name: string): Signal<string>;
  /** Another person has signed in: what was typed is not theirs. */
  keepFor(person: string): void;
}

/** Creates drafts; all are empty. */
export function createDrafts(): Drafts {
  const texts = new Map<string, Signal<string>>();
  let typist: string | undefined;
  return {
    of(name) {
      const text = texts.get(name) ?? signal("");
      texts.set(name, text);
      return text;
    },
    keepFor(person) {
      if (typist !== undefined && typist !== person) for (const text of texts.values()) text.value = "";
      typist = person;
    },
  };
}
