/** What the doctor says about one thing. `fix` says what to do, and stands with everything that is not ok. */
export interface Finding {
  readonly name: string;
  readonly verdict: "ok" | "warning" | "fault";
  readonly detail: string;
  readonly fix?: string;
}

/** All is well. */
export function fine(name: string, detail: string): Finding {
  return { name, verdict: "ok", detail };
}

/** It works, and a promise is weaker than it could be. */
export function warning(name: string, detail: string, fix: string): Finding {
  return { name, verdict: "warning", detail, fix };
}

/** It does not work. */
export function fault(name: string, detail: string, fix: string): Finding {
  return { name, verdict: "fault", detail, fix };
}
