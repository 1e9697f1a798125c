import type { Feature } from "../../core/feature.ts";
import type { LongWork, LongWorkCall } from "../../core/long-work.ts";

/** What tests of one commit came to. */
export interface TestResult {
  /** Full id of the commit that was tested, as the runner itself read it. */
  readonly sha: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Page for people. */
  readonly url?: string;
}

/** Runs the tests of a feature's repository on exactly one commit, in a work tree of its own. Rejects with StepFailure. */
export interface TestRunner {
  test(feature: Feature, sha: string, call: LongWorkCall): Promise<LongWork<TestResult>>;
}
