import type { Risk } from "./action.ts";

/** What an argument may be. A value that is none of it never reaches a command. */
export type ArgumentType =
  | { readonly kind: "enum"; readonly values: readonly string[] }
  /** `pattern` matches the whole value. A value begins with `-` only when `leadingDash` says so. */
  | { readonly kind: "pattern"; readonly pattern: string; readonly leadingDash: boolean }
  | { readonly kind: "integer"; readonly min: number; readonly max: number }
  /** A relative path whose real place is below `root`; the command is given the real place. */
  | { readonly kind: "path"; readonly root: string };

/** Asks the target whether a command has happened, by exit status. */
export interface CommandProbe {
  readonly argv: readonly string[];
  readonly applied: readonly number[];
  readonly notApplied: readonly number[];
}

/**
 * One command that the configuration registers. `argv` begins with an absolute path; `{name}` in an element is replaced by a proven argument,
 * and an element stays one element whatever it holds. There is no shell anywhere.
 */
export interface CommandTemplate {
  readonly name: string;
  readonly argv: readonly string[];
  readonly args: Readonly<Record<string, ArgumentType>>;
  /** The whole environment of the command; values may hold `{name}`. */
  readonly env: Readonly<Record<string, string>>;
  /** Variables that a step may set, by type. */
  readonly openEnv: Readonly<Record<string, ArgumentType>>;
  readonly cwd: string;
  readonly timeoutMs: number;
  readonly effect: "once" | "set" | "probed";
  readonly risk: Risk;
  /** What is touched, as an explicit id; may hold `{name}`. */
  readonly target: string;
  readonly okExits: readonly number[];
  /** Exit statuses by which the command says that it has changed nothing. */
  readonly notAppliedExits: readonly number[];
  readonly probe?: CommandProbe;
}

/** Bytes of argv and environment together; a longer command is refused. */
export const maxCommand = 8192;

/** `{name}` inside an element; `{{` and `}}` are a brace each. */
export const placeholderPattern = /\{\{|\}\}|\{([a-z][a-z0-9_]{0,39})\}/g;

/** Names that an element refers to. */
export function placeholdersOf(element: string): readonly string[] {
  return [...element.matchAll(placeholderPattern)].flatMap(([, name]) => (name === undefined ? [] : [name]));
}
