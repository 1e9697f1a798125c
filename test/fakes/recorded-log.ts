import type { Log, LogFields } from "../../src/core/log.ts";

/** One line of a recorded log. */
export interface RecordedLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  /** Includes `run` and `step` where the log was one of a run. */
  readonly fields: LogFields;
}

/** A log that keeps its lines in `lines`, oldest first. */
export interface RecordedLog extends Log {
  readonly lines: readonly RecordedLine[];
}

/** A log for tests; `onLine` is called with each line. */
export function createRecordedLog(onLine: (line: RecordedLine) => void = () => undefined): RecordedLog {
  const lines: RecordedLine[] = [];
  const logWith = (always: LogFields): Log => {
    const at = (level: RecordedLine["level"]) => (fields: LogFields, message: string) => {
      const line = { level, message, fields: { ...always, ...fields } };
      lines.push(line);
      onLine(line);
    };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      ofRun: (run, step) => logWith({ ...always, run, ...(step !== undefined && { step }) }),
    };
  };
  return { ...logWith({}), lines };
}
