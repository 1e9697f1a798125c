import type { FlagSource, ResolvedFlag } from "./flag-source.ts";
import type { FlagEvent } from "./served-flags.ts";

/** The part of OpenFeature's evaluation context that is read. */
export interface ProviderContext {
  /** The ticket's id. */
  readonly targetingKey?: string | undefined;
}

/** What an evaluation comes to; OpenFeature's `ResolutionDetails`. */
export interface ProviderResolution<Value> {
  readonly value: Value;
  readonly variant: string;
  readonly reason: ResolvedFlag["reason"];
  readonly flagMetadata: Record<string, string | number | boolean>;
}

/** What a handler of a provider's event is given. */
export interface ProviderEventDetails {
  readonly providerName: string;
  readonly clientName?: string;
  readonly domain?: string;
  readonly message?: string;
  readonly metadata?: Record<string, string | number | boolean>;
  /** Of a change of configuration: `flagsChanged`, a list of keys. */
  readonly [name: string]: unknown;
}

/** What a provider says of an event. */
export type ProviderEventContext = { readonly message?: string; readonly flagsChanged?: string[] };

type Handler = (details?: ProviderEventDetails) => unknown;

/** OpenFeature's `ProviderEventEmitter`. */
export interface ProviderEvents {
  emit(event: string, context?: ProviderEventContext): void;
  addHandler(event: string, handler: Handler): void;
  removeHandler(event: string, handler: Handler): void;
  removeAllHandlers(event?: string): void;
  getHandlers(event: string): Handler[];
  setLogger(logger: unknown): ProviderEvents;
}

/** A provider for `OpenFeature.setProviderAndWait` of `@openfeature/server-sdk`. */
export interface FlagProvider {
  readonly metadata: { readonly name: "runbookd" };
  readonly runsOn: "server";
  readonly events: ProviderEvents;
  /** Reads the flags of `keys`. Rejects when neither runbookd nor the snapshot knows one of them; evaluations go on then and use what is read later. */
  initialize(): Promise<void>;
  /** Ends the events. The client goes on until it is closed. */
  onClose(): Promise<void>;
  resolveBooleanEvaluation(key: string, codeDefault: boolean, context: ProviderContext): Promise<ProviderResolution<boolean>>;
  resolveStringEvaluation(key: string, codeDefault: string, context: ProviderContext): Promise<ProviderResolution<string>>;
  resolveNumberEvaluation(key: string, codeDefault: number, context: ProviderContext): Promise<ProviderResolution<number>>;
  resolveObjectEvaluation<Value>(key: string, codeDefault: Value, context: ProviderContext): Promise<ProviderResolution<Value>>;
}

/** OpenFeature's error codes, which choose the default in the code of the application. */
const errorCodes = {
  unknown: "FLAG_NOT_FOUND",
  unread: "PROVIDER_NOT_READY",
  targeting_key_missing: "TARGETING_KEY_MISSING",
  variant_missing: "PARSE_ERROR",
} as const;

/** An evaluation without a value. OpenFeature reads `code` and answers with the default in the application's code. */
class FlagUnresolved extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = "FlagUnresolved";
    this.code = code;
  }
}

/**
 * A provider for OpenFeature's server SDK over the flags of a client, evaluated in this process. A flag that is off answers with its off value, whatever
 * default the code names. The default is used for a flag that runbookd does not have, or of which nothing could be read: so flags should enable, with the
 * default false. `keys` are read before the provider is ready; other flags are read at their first use.
 */
export function createFlagProvider(flags: FlagSource, { keys = [] }: { readonly keys?: readonly string[] } = {}): FlagProvider {
  const events = createProviderEvents();
  let unwatch: (() => void) | undefined;
  /** Undefined until `initialize` has ended: so long the SDK says on its own how the provider is. */
  let shown: "ready" | "error" | "stale" | undefined;

  const publish = (event: FlagEvent): void => {
    if (shown === undefined) return;
    if (event.kind === "changed") return events.emit("PROVIDER_CONFIGURATION_CHANGED", { flagsChanged: [...event.keys] });
    if (event.kind === "stale" && shown === "ready") {
      shown = "stale";
      events.emit("PROVIDER_STALE", { message: event.why });
    }
    if (event.kind === "current" && shown !== "ready") {
      shown = "ready";
      events.emit("PROVIDER_READY");
    }
  };

  const evaluate = async <Value>(key: string, accepts: Accepts<Value>, { targetingKey }: ProviderContext) => {
    const resolution = await flags.evaluate(key, { ticketId: targetingKey });
    if (resolution.kind === "unresolved") throw new FlagUnresolved(errorCodes[resolution.reason], `Flag ${key}: ${resolution.reason}.`);
    const { value } = resolution;
    if (!accepts(value)) throw new FlagUnresolved("TYPE_MISMATCH", `Flag ${key} has a value of another type: ${typeof value}.`);
    return { ...detailsOf(resolution), value };
  };

  return {
    metadata: { name: "runbookd" },
    runsOn: "server",
    events,
    async initialize() {
      unwatch ??= flags.watch(publish);
      const unread = await flags.follow(keys);
      shown = unread.length === 0 ? "ready" : "error";
      if (unread.length > 0) throw new FlagUnresolved("GENERAL", `runbookd cannot be asked, and nothing is known of ${unread.join(", ")}.`);
    },
    async onClose() {
      unwatch?.();
      unwatch = undefined;
      shown = undefined;
    },
    resolveBooleanEvaluation: async (key, _codeDefault, context) => evaluate(key, isBoolean, context),
    resolveStringEvaluation: async (key, _codeDefault, context) => evaluate(key, isString, context),
    resolveNumberEvaluation: async (key, _codeDefault, context) => evaluate(key, isNumber, context),
    resolveObjectEvaluation: async (key, codeDefault, context) => evaluate(key, objectsLike(codeDefault), context),
  };
}

type Accepts<Value> = (value: unknown) => value is Value;

const isBoolean: Accepts<boolean> = (value) => typeof value === "boolean";
const isString: Accepts<string> = (value) => typeof value === "string";
const isNumber: Accepts<number> = (value) => typeof value === "number";
/** OpenFeature's interface asks for the type of the code's default, which nothing can check. */
function objectsLike<Value>(_codeDefault: Value): Accepts<Value> {
  return (value): value is Value => typeof value === "object" && value !== null;
}

function detailsOf({ variant, reason, version, feature, rollout, ageMs, from }: ResolvedFlag): Omit<ProviderResolution<never>, "value"> {
  return {
    variant,
    reason,
    flagMetadata: {
      version,
      ageMs,
      from,
      ...(feature !== undefined && { feature }),
      ...(rollout !== undefined && { rollout: rollout.rollout, arm: rollout.arm }),
    },
  };
}

function createProviderEvents(): ProviderEvents {
  const handlers = new Map<string, Handler[]>();
  const events: ProviderEvents = {
    emit(event, context) {
      for (const handler of handlers.get(event) ?? []) {
        try {
          handler({ providerName: "runbookd", ...context });
        } catch {
          // What the application does with an event must not keep a flag from being switched off.
        }
      }
    },
    addHandler: (event, handler) => void handlers.set(event, [...(handlers.get(event) ?? []), handler]),
    removeHandler: (event, handler) =>
      void handlers.set(
        event,
        (handlers.get(event) ?? []).filter((one) => one !== handler),
      ),
    removeAllHandlers(event) {
      if (event === undefined) handlers.clear();
      else handlers.delete(event);
    },
    getHandlers: (event) => [...(handlers.get(event) ?? [])],
    setLogger: () => events,
  };
  return events;
}
