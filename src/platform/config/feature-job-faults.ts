import type { CommandTemplate } from "../../core/command-template.ts";
import type { CommitJob, Feature } from "../../core/feature.ts";

/** Something that a feature names and that is not there, or cannot do what it is named for. */
export interface FeatureFault {
  /** Where in `features`, e.g. `export.tests`. */
  readonly at: string;
  readonly problem: string;
  readonly accepted: string;
}

/** What the jobs of features are compared with. */
export interface JobSurroundings {
  readonly commands: readonly CommandTemplate[];
  /** Origins that RUNBOOKD_HTTP_ALLOW lists. */
  readonly allowed: readonly string[];
}

/** Arguments that runbookd can give to the command of each job. */
const offered = { tests: ["sha", "key"], deployment: ["sha", "key"], attacks: ["sha", "key", "file"] } as const;

/** Compares what carries out a feature's tests, deployments and attacks with the rest of the configuration. Pure. */
export function featureJobFaults(features: readonly Feature[], surroundings: JobSurroundings): readonly FeatureFault[] {
  return features.flatMap((feature) => [
    ...(["tests", "deployment", "attacks"] as const).flatMap((what) => {
      const job = feature[what];
      return job === undefined ? [] : jobFaults(feature, { what, job }, surroundings);
    }),
    ...versionFaults(feature, surroundings),
  ]);
}

function jobFaults(
  { name, codeHost }: Feature,
  { what, job }: { readonly what: keyof typeof offered; readonly job: CommitJob },
  { commands }: JobSurroundings,
): readonly FeatureFault[] {
  const at = `${name}.${what}`;
  if (job.kind === "workflow") {
    if (codeHost === "github") return [];
    return [{ at, problem: "is a workflow, and the feature's code_host is not github", accepted: "code_host: github, or a command" }];
  }
  const template = commands.find((one) => one.name === job.name);
  if (template === undefined)
    return [{ at, problem: `names the command ${job.name}, which commands does not register`, accepted: "a name under commands" }];
  const names = Object.keys(template.args);
  const strange = names.filter((argument) => !offered[what].some((one) => one === argument));
  return [
    ...(strange.length === 0
      ? []
      : [
          {
            at,
            problem: `names the command ${job.name}, whose arguments ${strange.join(", ")} nothing gives it`,
            accepted: `a command with no arguments but ${offered[what].join(", ")}`,
          },
        ]),
    ...(what === "attacks" || names.includes("sha")
      ? []
      : [
          {
            at,
            problem: `names the command ${job.name}, which has no argument sha and cannot know which commit is meant`,
            accepted: "a command whose argv holds {sha}",
          },
        ]),
    ...(what === "deployment" && template.effect === "once"
      ? [
          {
            at,
            problem: `names the command ${job.name} with effect once: after a crash it is not known whether it deployed`,
            accepted: "a command with effect set, or effect probed and a probe",
          },
        ]
      : []),
  ];
}

function versionFaults({ name, deployment, versionUrls }: Feature, { allowed }: JobSurroundings): readonly FeatureFault[] {
  const origins = [...new Set(versionUrls.map((url) => new URL(url).origin))].filter((origin) => !allowed.includes(origin));
  return [
    ...(deployment !== undefined && versionUrls.length === 0
      ? [
          {
            at: `${name}.deployment`,
            problem: "is set without version_urls, so that no process could show which commit it runs",
            accepted: "version_urls with one address for each process",
          },
        ]
      : []),
    ...origins.map((origin) => ({
      at: `${name}.version_urls`,
      problem: `names the origin ${origin}, which RUNBOOKD_HTTP_ALLOW does not list`,
      accepted: "origins that RUNBOOKD_HTTP_ALLOW lists",
    })),
  ];
}
