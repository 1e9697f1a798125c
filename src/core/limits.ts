/** Every limit with its default. They bind what raises risk or spend; what lowers it is never held back by them. */
export const defaultLimits = {
  /** Starts of one runbook within an hour, when it raises something and has no step that lowers: holding that back would hold back a stop. */
  runs_per_hour_runbook: 6,
  /** Starts of all runbooks within an hour, counted alike. */
  runs_per_hour: 30,
  /** Intents of one raising action within an hour. */
  raises_per_hour_action: 20,
  /** Runs that raise one target within an hour. */
  raises_per_hour_target: 3,
  /** Distinct targets that one run may raise. */
  targets_per_run: 1,
  /** Targets raised by all runs within an hour. */
  targets_per_hour: 20,
  /** Percent of all targets of a kind that one run may raise; never less than one target. */
  percent_per_run: 10,
  /** Percent of all targets of a kind that all runs may raise within an hour; never less than one target. */
  percent_per_hour: 25,
  /** Episodes of one alert within an hour, above which raising asks a person. */
  episodes_per_hour: 3,
  /** New episodes of all alerts within five minutes, above which raising asks a person. */
  storm_episodes: 50,
  /** Failures or unknown outcomes of one action within half an hour that open its breaker. */
  breaker_failures: 3,
} as const;

/** Name of a limit, as in `guardrails` of the configuration and in a runbook's `limits`. */
export type LimitName = keyof typeof defaultLimits;

/** A value for every limit. */
export type Limits = { readonly [Name in LimitName]: number };

/** See {@link LimitName}. */
export const limitNames: readonly LimitName[] = Object.keys(defaultLimits).filter(isLimitName);

/** Whether this is the name of a limit. */
export function isLimitName(name: string): name is LimitName {
  return Object.hasOwn(defaultLimits, name);
}

/** The configured limits, the defaults where nothing is configured; a runbook's own only where they are lower. */
export function limitsOf(configured: { readonly [limit: string]: number }, runbook: { readonly [limit: string]: number } = {}): Limits {
  const limit = (name: LimitName): number =>
    Math.min(limitIn(configured, name) ?? defaultLimits[name], limitIn(runbook, name) ?? Number.POSITIVE_INFINITY);
  return {
    runs_per_hour_runbook: limit("runs_per_hour_runbook"),
    runs_per_hour: limit("runs_per_hour"),
    raises_per_hour_action: limit("raises_per_hour_action"),
    raises_per_hour_target: limit("raises_per_hour_target"),
    targets_per_run: limit("targets_per_run"),
    targets_per_hour: limit("targets_per_hour"),
    percent_per_run: limit("percent_per_run"),
    percent_per_hour: limit("percent_per_hour"),
    episodes_per_hour: limit("episodes_per_hour"),
    storm_episodes: limit("storm_episodes"),
    breaker_failures: limit("breaker_failures"),
  };
}

function limitIn(limits: { readonly [limit: string]: number }, name: LimitName): number | undefined {
  return Object.hasOwn(limits, name) ? limits[name] : undefined;
}
