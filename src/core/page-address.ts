/** Where in the console something is shown: a run, at one of its steps when there is a number. */
export interface RunPlace {
  readonly runId: string;
  /** Number of a step, from 1. */
  readonly step?: number | undefined;
}

/** The address of a run's page. `publicUrl` is where people reach the server, with or without a slash at its end. */
export function runPageAddress(publicUrl: string, { runId, step }: RunPlace): string {
  return `${publicUrl.replace(/\/+$/u, "")}/runs/${encodeURIComponent(runId)}${step === undefined ? "" : `#step-${step}`}`;
}
