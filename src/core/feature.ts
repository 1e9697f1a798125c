/** Systems that keep flags; `runbookd` is our own. */
export const flagSystems = ["runbookd", "unleash", "flagd"] as const;

/** Systems whose keys can be switched off. */
export const keySystems = ["anthropic", "litellm"] as const;

/** A flag and the system that keeps it. */
export interface FlagReference {
  readonly system: (typeof flagSystems)[number];
  readonly key: string;
}

/** A key of a model provider or gateway, by the id under which its system knows it; never its text. */
export interface KeyReference {
  readonly system: (typeof keySystems)[number];
  readonly id: string;
}

/** How a request to the feature is tried; it must be refused once the feature is off. */
export interface FeatureProbe {
  readonly url: string;
  readonly method: "GET" | "POST";
  readonly body?: string;
  /** Statuses that mean refused. */
  readonly refusedBy: readonly number[];
}

/** Who can reach a feature, the widest first. */
export const exposures = ["public", "customers", "internal"] as const;

/** What a feature can read, the most sensitive first. */
export const dataKinds = ["regulated", "personal", "internal", "none"] as const;

/** Where repositories are kept: GitHub, or plain git on a disk that the workers reach. */
export const codeHostSystems = ["github", "git"] as const;

/** A command that runbookd.yml registers. */
export interface CommandJob {
  readonly kind: "command";
  readonly name: string;
}

/** What carries out work on one commit: a command, or a workflow file of the repository. */
export type CommitJob = CommandJob | { readonly kind: "workflow"; readonly file: string };

/**
 * What a model may do within a feature, in the words of OWASP AIVSS, the gravest first: what it can carry out, how far its surroundings change it, how well
 * its behavior can be checked, and how far a compromise reaches.
 */
export const agencyValues = {
  power: ["high-leverage", "capable", "constrained"],
  environment: ["pervasive", "connected", "isolated"],
  predictability: ["opaque", "uncertain", "verifiable"],
  systemic: ["critical", "significant", "contained"],
} as const;

/** See {@link agencyValues}; absent members are unknown. */
export type Agency = { readonly [Name in keyof typeof agencyValues]?: (typeof agencyValues)[Name][number] };

/** A part of the workload that can be switched off alone, as `features` in runbookd.yml describes it. What is absent is unknown. */
export interface Feature {
  readonly name: string;
  readonly flags: readonly FlagReference[];
  /** Ids of the budgets whose gates close with it. */
  readonly budgets: readonly string[];
  readonly keys: readonly KeyReference[];
  /** `owner/name` at the code host. */
  readonly repository?: string;
  readonly codeHost?: (typeof codeHostSystems)[number];
  /** Beginnings of paths within the repository. */
  readonly paths: readonly string[];
  readonly probe?: FeatureProbe;
  /** Tests one commit. */
  readonly tests?: CommitJob;
  /** Puts one commit into service. */
  readonly deployment?: CommitJob;
  /** At each of which one process says which commit it runs; empty: no process can be asked. */
  readonly versionUrls: readonly string[];
  /** Starts an isolated instance of one commit, and sends attacks to it. A workflow cannot hand back what the instance said. */
  readonly attacks?: CommandJob;
  readonly exposure?: (typeof exposures)[number];
  readonly data?: (typeof dataKinds)[number];
  readonly agency?: Agency;
}
