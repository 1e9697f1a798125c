import { type Signal, signal } from "@preact/signals";

/** What a key does. */
export type KeyAction =
  | { readonly kind: "go"; readonly href: string }
  /** Moves to the filters of a list. */
  | { readonly kind: "find" }
  /** Moves to the next or the previous step. */
  | { readonly kind: "step"; readonly by: 1 | -1 }
  /** Moves to the reason of the question that is focused, or to the button when a reason is there. Nothing is sent. */
  | { readonly kind: "answer"; readonly button: "first" | "last" }
  | { readonly kind: "list" };

/** Keys as people read them, and what each does. */
export const keyList: readonly (readonly [string, string])[] = [
  ["g n", "go to Now"],
  ["g r", "go to Runs"],
  ["g a", "go to Approvals"],
  ["g l", "go to Alerts"],
  ["g b", "go to Runbooks"],
  ["/", "find: go to the filters of the list, or to Runs"],
  ["j k", "next and previous step of a run"],
  ["a r", "on a question: write the reason, then go to the button that approves or rejects; they send nothing"],
  ["?", "this list"],
];

const places: Readonly<Record<string, string>> = { n: "/", r: "/runs", a: "/approvals", l: "/alerts", b: "/runbooks" };
const single: Readonly<Record<string, KeyAction>> = {
  "/": { kind: "find" },
  "?": { kind: "list" },
  j: { kind: "step", by: 1 },
  k: { kind: "step", by: -1 },
  a: { kind: "answer", button: "first" },
  r: { kind: "answer", button: "last" },
};

/** The second key of two comes within this time. */
const pairMs = 1500;

/** Reads keys one after the other: the action of each, or undefined when it has none or is the first of two. `at`: milliseconds. */
export function createKeyReader(): (key: string, at: number) => KeyAction | undefined {
  let firstAt = Number.NEGATIVE_INFINITY;
  return (key, at) => {
    const isSecond = at - firstAt <= pairMs;
    firstAt = !isSecond && key === "g" ? at : Number.NEGATIVE_INFINITY;
    if (!isSecond) return Object.hasOwn(single, key) ? single[key] : undefined;
    return Object.hasOwn(places, key) ? { kind: "go", href: places[key] ?? "/" } : undefined;
  };
}

/** The keys of the page. */
export interface PageKeys {
  /** Whether they do anything; a person who dictates or types by accident switches them off. */
  readonly areOn: Signal<boolean>;
  /** Whether the list of keys is shown. */
  readonly isListed: Signal<boolean>;
  /** Begins to listen; the result ends it. */
  listen(document: Document): () => void;
}

/** Where the choice is kept that the keys are off; null when the browser keeps nothing. */
export type KeyMemory = Pick<Storage, "getItem" | "setItem" | "removeItem"> | null;

const memoryName = "runbookd-keys";

/** Creates the keys; `go` opens an address of the console. */
export function createPageKeys(memory: KeyMemory, go: (href: string) => void): PageKeys {
  const areOn = signal(read(memory) !== "off");
  const isListed = signal(false);
  areOn.subscribe((on) => (on ? memory?.removeItem(memoryName) : memory?.setItem(memoryName, "off")));
  return {
    areOn,
    isListed,
    listen(document) {
      const next = createKeyReader();
      const hear = (event: KeyboardEvent) => {
        if (!areOn.value || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
        const action = next(event.key, event.timeStamp);
        if (action === undefined) return;
        if (action.kind === "list") isListed.value = !isListed.value;
        else if (isListed.value) return;
        else if (action.kind === "go") go(action.href);
        else if (action.kind === "find") find(document, go);
        else if (action.kind === "step") moveToStep(document, action.by);
        else moveToAnswer(document, action.button);
        event.preventDefault();
      };
      document.addEventListener("keydown", hear);
      return () => document.removeEventListener("keydown", hear);
    },
  };
}

function read(memory: KeyMemory): string | null | undefined {
  try {
    return memory?.getItem(memoryName);
  } catch {
    return undefined;
  }
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("input, textarea, select") !== null;
}

function find(document: Document, go: (href: string) => void): void {
  const field = document.querySelector<HTMLElement>(".filters input, .filters select");
  if (field === null) go("/runs");
  else field.focus();
}

function moveToStep(document: Document, by: 1 | -1): void {
  const steps = [...document.querySelectorAll(".step")];
  const focused = document.activeElement?.closest(".step") ?? null;
  const current = focused ?? steps.find((step) => step.getAttribute("aria-current") === "step") ?? null;
  const at = current === null ? (by === 1 ? -1 : steps.length) : steps.indexOf(current);
  const step = focused === null && current !== null ? current : steps[at + by];
  step?.scrollIntoView({ block: "start" });
  step?.querySelector<HTMLElement>("header a")?.focus({ preventScroll: true });
}

/** The question that has the focus or is in the step that has it; without either the only open one of the page. */
function moveToAnswer(document: Document, button: "first" | "last"): void {
  const open = [...document.querySelectorAll(".question.open")];
  const focused =
    document.activeElement?.closest(".question.open") ?? document.activeElement?.closest(".step")?.querySelector(".question.open");
  const question = focused ?? (open.length === 1 ? open[0] : undefined);
  const reason = question?.querySelector("textarea");
  const buttons = question?.querySelectorAll<HTMLElement>(".answers button") ?? [];
  const chosen = buttons[button === "first" ? 0 : buttons.length - 1];
  if (reason === null || reason === undefined) return;
  (reason.value.trim() === "" ? reason : chosen)?.focus();
}
