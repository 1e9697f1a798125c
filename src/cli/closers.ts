/** Releases what was acquired, last first, each by name. A half-finished start unwinds by the same path as an orderly end. */
export interface Closers {
  /** Registered in the same breath in which the thing is acquired. */
  add(name: string, close: () => Promise<void> | void): void;
  /** Runs each once, bounded in time; tells what failed. May be called twice. */
  close(): Promise<void>;
}

const eachWithinMs = 10_000;

/** `failed` hears of a release that threw or took too long; the others still run. */
export function createClosers(failed: (name: string, error: unknown) => void): Closers {
  const stack: { readonly name: string; readonly close: () => Promise<void> | void }[] = [];
  return {
    add: (name, close) => void stack.push({ name, close }),
    async close() {
      for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
        let timer: NodeJS.Timeout | undefined;
        const late = new Promise<never>((_resolve, reject) => {
          timer = setTimeout(() => reject(new Error(`took longer than ${eachWithinMs} ms`)), eachWithinMs);
        });
        try {
          await Promise.race([Promise.resolve(next.close()), late]);
        } catch (error) {
          failed(next.name, error);
        } finally {
          clearTimeout(timer);
        }
      }
    },
  };
}
