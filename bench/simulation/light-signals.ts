type Listener = (() => void) | { handleEvent(): void };

/**
 * An AbortSignal that is a plain object. Those of Node are event targets behind weak references; a world makes hundreds of them, which cost more than the
 * engine. The order is that of the standard: a signal and those that follow it are aborted first, then their listeners are called.
 */
class LightSignal {
  aborted = false;
  reason: unknown = undefined;
  onabort: (() => void) | null = null;
  private listeners: readonly Listener[] = [];
  private followers: readonly LightSignal[] = [];

  static any(signals: readonly LightSignal[]): LightSignal {
    const signal = new LightSignal();
    const first = signals.find(({ aborted }) => aborted);
    if (first === undefined) for (const source of signals) source.followers = [...source.followers, signal];
    else signal.settle(first.reason);
    return signal;
  }

  static abort(reason?: unknown): LightSignal {
    const signal = new LightSignal();
    signal.end(reason);
    return signal;
  }

  /** A signal of the machine's time, which no schedule may use. */
  static timeout(ms: number): unknown {
    return machine.signal.timeout(ms);
  }

  addEventListener(_type: "abort", listener: Listener): void {
    if (!this.listeners.includes(listener)) this.listeners = [...this.listeners, listener];
  }

  removeEventListener(_type: "abort", listener: Listener): void {
    this.listeners = this.listeners.filter((one) => one !== listener);
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  /** Aborts it, and all that follow it. */
  end(reason: unknown = new DOMException("This operation was aborted", "AbortError")): void {
    if (this.aborted) return;
    for (const signal of this.settle(reason)) signal.dispatch();
  }

  private settle(reason: unknown): readonly LightSignal[] {
    if (this.aborted) return [];
    this.aborted = true;
    this.reason = reason;
    const { followers } = this;
    this.followers = [];
    return [this, ...followers.flatMap((follower) => follower.settle(reason))];
  }

  private dispatch(): void {
    const { listeners } = this;
    this.listeners = [];
    this.onabort?.();
    for (const listener of listeners) {
      if (typeof listener === "function") listener();
      else listener.handleEvent();
    }
  }
}

class LightController {
  readonly signal = new LightSignal();

  abort(reason?: unknown): void {
    this.signal.end(reason);
  }
}

const machine = { signal: AbortSignal };

/** Until `work` has ended, signals are plain objects and errors have no stack. */
export async function withLightSignals<Value>(work: () => Promise<Value>): Promise<Value> {
  const names = ["AbortController", "AbortSignal"] as const;
  const before = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name));
  const { stackTraceLimit } = Error;
  const lights = [LightController, LightSignal];
  for (const [index, name] of names.entries())
    Object.defineProperty(globalThis, name, { configurable: true, writable: true, value: lights[index] });
  Error.stackTraceLimit = 0;
  try {
    return await work();
  } finally {
    for (const [index, name] of names.entries()) {
      const descriptor = before[index];
      if (descriptor !== undefined) Object.defineProperty(globalThis, name, descriptor);
    }
    Error.stackTraceLimit = stackTraceLimit;
  }
}
