/** The names of the machine's clocks, timers and sources of chance that were used in a schedule. */
export interface GlobalsGuard extends Disposable {
  readonly used: string[];
}

/** The machine's clocks, timers and chance, by the object that has them. */
const hidden: readonly (readonly [object, readonly string[]])[] = [
  [globalThis, ["setTimeout", "setInterval", "setImmediate", "fetch"]],
  [Date, ["now"]],
  [Math, ["random"]],
  [performance, ["now"]],
  [AbortSignal, ["timeout"]],
  [crypto, ["randomUUID", "getRandomValues"]],
  [process, ["hrtime"]],
];

/** Until it is disposed of, every use of the machine's time or chance is recorded and throws. */
export function guardGlobals(): GlobalsGuard {
  const used: string[] = [];
  const restores = hidden.flatMap(([owner, names]) =>
    names.map((name) => {
      const descriptor = Object.getOwnPropertyDescriptor(owner, name);
      Object.defineProperty(owner, name, {
        configurable: true,
        writable: true,
        value: () => {
          used.push(name);
          throw new Error(`${name} was used in a schedule.`);
        },
      });
      return () => {
        if (descriptor === undefined) Reflect.deleteProperty(owner, name);
        else Object.defineProperty(owner, name, descriptor);
      };
    }),
  );
  return {
    used,
    [Symbol.dispose]() {
      for (const restore of restores) restore();
    },
  };
}
