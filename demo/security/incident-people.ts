import type { Clock } from "../../src/core/clock.ts";
import type { QuestionView } from "../runbookd-api.ts";
import type { GitHubServer } from "../simulators/github-server/github-server.ts";
import type { DemoSystem } from "../start-system.ts";
import type { DeskPlaces } from "./desk-places.ts";

/** A vector that no calculator can read. */
const brokenVector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:unknown";
/** GitHub's times have whole seconds: an event that is to be newer comes so much later. */
const newerMs = 1100;

/** Reports a dependency with a hole that cannot be reached, and delivers it twice; answers its number. */
export async function reportHarmless(github: GitHubServer): Promise<number> {
  github.quirks.deliveriesDoubled = true;
  const number = await github.open("dependabot", {
    dependency: { package: { ecosystem: "npm", name: "left-pad" }, manifest_path: "package-lock.json", scope: "development" },
    security_advisory: {
      ghsa_id: "GHSA-2222-3333-4444",
      cve_id: "CVE-2026-10001",
      summary: "A local user can slow a build down",
      description: "Only a build on a machine with other users is affected.",
      severity: "low",
      cvss: { vector_string: "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:L", score: 1.8 },
      epss: { percentage: 0.0002, percentile: 0.01 },
      cwes: [{ cwe_id: "CWE-400", name: "Uncontrolled resource consumption" }],
    },
    security_vulnerability: { severity: "low", first_patched_version: { identifier: "1.3.1" } },
  });
  github.quirks.deliveriesDoubled = false;
  return number;
}

/** Alerts by their numbers at GitHub. */
export interface IncidentAlerts {
  readonly advisory: number;
  readonly harmless: number;
}

/** Reports the leak: the event of a scanner's alert is lost, and the two events of an advisory, whose number is answered, come in reverse order. */
export async function reportLeak(github: GitHubServer, clock: Pick<Clock, "sleep">): Promise<number> {
  const { quirks } = github;
  quirks.deliveriesLost = true;
  await github.open("code-scanning", {
    rule: {
      id: "js/prompt-injection",
      severity: "error",
      security_severity_level: "high",
      name: "js/prompt-injection",
      description: "A customer's text reaches the prompt",
      tags: ["security", "external/cwe/cwe-1427"],
    },
    most_recent_instance: {
      ref: "refs/heads/main",
      state: "open",
      message: { text: "This prompt depends on a customer's ticket." },
      location: { path: "src/prompt.js", start_line: 5, end_line: 5 },
    },
  });
  quirks.deliveriesLost = false;
  quirks.deliveriesHeld = true;
  const advisory = await github.open("security-advisories", { severity: "low" });
  await clock.sleep(newerMs);
  const cvss = { vector_string: brokenVector, score: null };
  await github.change("security-advisories", { number: advisory, action: "reported", members: { severity: "critical", cvss } });
  quirks.deliveriesHeld = false;
  await github.deliveries.release("reversed");
  return advisory;
}

/** A new analysis of the main branch finds nothing any more; its event is lost. */
export async function analyzeAgain(github: GitHubServer): Promise<void> {
  github.quirks.deliveriesLost = true;
  await github.analyze();
  github.quirks.deliveriesLost = false;
}

/** Publishes the advisory with the version that is patched, in which the harmless dependency is updated too. */
export async function publishAdvisory(github: GitHubServer, { advisory, harmless }: IncidentAlerts): Promise<void> {
  await github.change("dependabot", { number: harmless, action: "fixed", members: { state: "fixed" } });
  await github.change("security-advisories", {
    number: advisory,
    action: "published",
    members: {
      state: "published",
      vulnerabilities: [{ package: { ecosystem: "npm", name: "desk" }, vulnerable_version_range: "< 2.0.0", patched_versions: "2.0.0" }],
    },
  });
}

/** What people answer, and what they did not know how to answer. */
export interface IncidentPeople {
  answer(question: QuestionView): Promise<void>;
  /** A question without an answer. */
  unexpected(): string | undefined;
}

/** Steps by the words of their ids. */
const isMerge = (stepId: string) => stepId.includes("merge");
const isContainment = (stepId: string) => stepId.includes("disable_affected");
/** How often a person has the proof read again. */
const maxProofs = 3;

/**
 * The people of the incident. Before the first approval of the merge is given, another commit comes onto the branch. Where two people must approve, two do.
 */
export function createIncidentPeople(
  { colleague, deputy }: Pick<DemoSystem, "colleague" | "deputy">,
  { repository }: Pick<DeskPlaces, "repository">,
): IncidentPeople {
  const answered = new Map<string, number>();
  let isLate = false;
  let proofs = 0;
  let unexpected: string | undefined;

  const approve = async (question: QuestionView): Promise<void> => {
    const times = answered.get(question.id) ?? 0;
    if (isMerge(question.stepId) && !isLate) {
      isLate = true;
      await repository.pushLateCommit();
    }
    if (times === 0) await colleague.answer(question, "approve", "The plan is what was tested.");
    else if (times === 1) await deputy.answer(question, "approve", "I have looked at it, too.");
    answered.set(question.id, times + 1);
  };

  return {
    async answer(question) {
      const { id, kind, stepId, answers, text } = question;
      if (kind === "approve") return approve(question);
      if (answered.has(id)) return;
      answered.set(id, 1);
      if (kind === "ask" && isContainment(stepId) && proofs < maxProofs && answers.includes("retry")) {
        proofs += 1;
        await colleague.answer(question, "retry", "Every process has stopped; read the proof again.");
      } else unexpected ??= `${stepId}: ${text}`;
    },
    unexpected: () => unexpected,
  };
}
