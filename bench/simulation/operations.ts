import type { Schedule } from "./schedule.ts";

/** Where a call of the engine goes. */
export type Port = "journal" | "target" | "metrics" | "queue";

/** One call of a port that waits for the scheduler. */
export interface Operation {
  readonly id: number;
  readonly process: number;
  readonly port: Port;
  readonly label: string;
  /** In milliseconds since the world began; earlier it is not carried out. */
  notBefore: number;
  /** Another fault than the passing of time has kept it: bytes that were on their way in the network. */
  wasHeld: boolean;
  /** Its process was stopped while it waited. */
  spansStop: boolean;
  /** Carries it out; its reply waits for `deliver`. */
  execute(): Promise<void>;
  readonly executed: boolean;
  /** Gives the reply to the caller. */
  deliver(): void;
  /** Gives an error to the caller instead. */
  fail(error: Error): void;
}

/** What is on its way to the ports. */
export interface Operations {
  readonly waiting: readonly Operation[];
  /**
   * Queues a call. It is dropped when `signal` is aborted before it was carried out, unless the network holds it already.
   */
  call<Value>(
    call: { readonly process: number; readonly port: Port; readonly label: string; readonly signal?: AbortSignal },
    work: (operation: Operation) => Promise<Value>,
  ): Promise<Value>;
  remove(operation: Operation): void;
  /** A process was killed: what it had not sent is gone. */
  dropOf(process: number): void;
}

/** An empty list of calls. */
export function createOperations(): Operations {
  let waiting: Operation[] = [];
  let count = 0;

  const remove = (operation: Operation): void => {
    const place = waiting.indexOf(operation);
    if (place >= 0) waiting.splice(place, 1);
  };

  return {
    get waiting() {
      return waiting;
    },
    remove,
    dropOf(process) {
      waiting = waiting.filter((one) => one.process !== process || (one.wasHeld && one.port === "target" && !one.executed));
    },
    async call({ process, port, label, signal }, work) {
      signal?.throwIfAborted();
      return new Promise((resolve, reject) => {
        let give: (() => void) | undefined;
        const operation: Operation = {
          id: (count += 1),
          process,
          port,
          label,
          notBefore: 0,
          wasHeld: false,
          spansStop: false,
          get executed() {
            return give !== undefined;
          },
          async execute() {
            try {
              const reply = await work(operation);
              give = () => resolve(reply);
            } catch (error) {
              give = () => reject(error instanceof Error ? error : new Error("A port threw something that is no error."));
            }
          },
          deliver() {
            remove(operation);
            give?.();
          },
          fail(error) {
            remove(operation);
            reject(error);
          },
        };
        waiting.push(operation);
        signal?.addEventListener(
          "abort",
          () => {
            if (!operation.wasHeld || give !== undefined) remove(operation);
            reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
          },
          { once: true },
        );
      });
    },
  };
}

/** One of these by a decision's argument; the first for 0. */
export function oneOf<Value>(values: readonly Value[], argument: number): Value | undefined {
  return values[argument % Math.max(1, values.length)];
}

/** A choice of a schedule among values. */
export function pickOf<Value>(schedule: Schedule, values: readonly [Value, ...Value[]]): Value {
  return values[schedule.pick(values.length)] ?? values[0];
}
