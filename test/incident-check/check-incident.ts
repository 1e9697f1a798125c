/*
 * Checks a security incident from outside: this folder imports nothing of the product. What left is in the listener's log, who was served in the customers' log,
 * and what runs is asked of the processes and of git.
 */

/** A text that the listener received. Times are UTC in ms. */
export interface ReceivedText {
  readonly at: number;
  readonly path: string;
  readonly body: string;
}

/** A request of a customer, with the status that it was answered with. */
export interface CustomerRequest {
  readonly ticketId: string;
  readonly askedAt: number;
  readonly endedAt: number;
  readonly status: number;
}

/** What one process says of itself now. */
export interface RunningProcess {
  readonly url: string;
  /** Undefined: it does not answer. */
  readonly sha?: string;
  readonly pid?: number;
  /** Whether the machine has a process of this id. */
  readonly isAlive: boolean;
}

/** What git and the repository's own tests say of the origin's main branch. */
export interface OriginFacts {
  readonly head: string;
  /** Whether the tested commit of the fix is among its ancestors. */
  readonly hasFix: boolean;
  /** Commits that are on the main branch itself since the first deployment. */
  readonly merges: number;
  readonly passed: number;
  readonly failed: number;
}

/** Everything that is compared. */
export interface IncidentFacts {
  readonly honeytoken: string;
  /** When runbookd said that the feature is off in every process. */
  readonly offAt: number;
  /** When the feature was given to tickets again; absent: it was not. */
  readonly onAgainAt?: number;
  readonly received: readonly ReceivedText[];
  readonly requests: readonly CustomerRequest[];
  /** Process ids before the incident. */
  readonly pidsBefore: readonly number[];
  readonly processes: readonly RunningProcess[];
  readonly origin: OriginFacts;
  /** Tests that must pass at least. */
  readonly minTests: number;
}

/** What was seen. Each difference is a sentence. */
export interface IncidentCheck {
  readonly leaksBefore: number;
  readonly leaksAfterOff: number;
  readonly servedAfterOff: number;
  /** Requests that were refused while the feature was off: without any, nothing was shown. */
  readonly refusedWhileOff: number;
  /** Requests that were served since the feature is on again. */
  readonly servedAgain: number;
  readonly newProcesses: number;
  readonly tests: { readonly passed: number; readonly failed: number; readonly sha: string };
  readonly differences: readonly string[];
}

/** Compares what runbookd says with what is there. */
export function checkIncident(facts: IncidentFacts): IncidentCheck {
  const { honeytoken, offAt, onAgainAt = Number.POSITIVE_INFINITY, received, requests, pidsBefore, processes, origin, minTests } = facts;
  const leaks = received.filter(({ body }) => body.includes(honeytoken));
  // What was asked before may end later: a report leaves before its request has ended.
  const drainedAt = Math.max(offAt, ...requests.filter(({ askedAt }) => askedAt <= offAt).map(({ endedAt }) => endedAt));
  const whileOff = requests.filter(({ askedAt }) => askedAt > offAt && askedAt < onAgainAt);
  const leaksAfter = leaks.filter(({ at }) => at > drainedAt);
  const served = whileOff.filter(({ status }) => status === 200);
  const refused = whileOff.filter(({ status }) => status === 403);
  const servedAgain = requests.filter(({ askedAt, status }) => askedAt >= onAgainAt && status === 200);
  const fresh = processes.filter(
    ({ sha, pid, isAlive }) => sha === origin.head && pid !== undefined && isAlive && !pidsBefore.includes(pid),
  );
  const before = leaks.filter(({ at }) => at <= offAt);
  const differences = [
    ...(before.length === 0 ? ["nothing leaked before the feature was off, so that the attack was none"] : []),
    ...(leaksAfter.length === 0 ? [] : [`${leaksAfter.length} texts with the honeytoken left after the feature was off`]),
    ...(served.length === 0
      ? []
      : [`${served.length} requests were served while the feature was off, the first one ${served[0]?.ticketId}`]),
    ...(refused.length === 0 ? ["no request was refused while the feature was off, so that nothing was tried"] : []),
    ...(onAgainAt !== Number.POSITIVE_INFINITY && servedAgain.length === 0 ? ["no request was served since the feature is on again"] : []),
    ...processes.flatMap((one) => differencesOf(one, origin.head, pidsBefore)),
    ...(processes.length === 0 ? ["no process was asked"] : []),
    ...(origin.hasFix ? [] : [`the main branch at ${origin.head} does not hold the commit that was tested`]),
    ...(origin.merges === 1 ? [] : [`the main branch has ${origin.merges} commits of its own since the first deployment, and not 1`]),
    ...(origin.failed === 0 && origin.passed >= minTests
      ? []
      : [`${origin.passed} tests of the main branch pass and ${origin.failed} fail`]),
  ];
  return {
    leaksBefore: before.length,
    leaksAfterOff: leaksAfter.length,
    servedAfterOff: served.length,
    refusedWhileOff: refused.length,
    servedAgain: servedAgain.length,
    newProcesses: fresh.length,
    tests: { passed: origin.passed, failed: origin.failed, sha: origin.head },
    differences,
  };
}

function differencesOf({ url, sha, pid, isAlive }: RunningProcess, head: string, pidsBefore: readonly number[]): readonly string[] {
  if (sha === undefined || pid === undefined) return [`${url} does not say what it runs`];
  return [
    ...(sha === head ? [] : [`${url} runs ${sha} and not the head of the main branch`]),
    ...(isAlive ? [] : [`${url} names process ${pid}, which does not exist`]),
    ...(pidsBefore.includes(pid) ? [`${url} is process ${pid}, which was there before the incident`] : []),
  ];
}
