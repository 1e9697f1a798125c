import { describe, expect, it } from "@jest/globals";
import { checkIncident, type IncidentFacts } from "./check-incident.ts";

const honeytoken = "0123456789abcdef";
const leak = (at: number) => ({ at, path: "/collect", body: `Reference ${honeytoken}.` });
const report = (at: number) => ({ at, path: "/reports", body: "A summary." });
const request = (askedAt: number, status: number, endedAt = askedAt + 5) => ({ ticketId: `T-${askedAt}`, askedAt, endedAt, status });
const running = (port: number, pid: number) => ({ url: `http://127.0.0.1:${port}/version`, sha: "merged", pid, isAlive: true });

const good: IncidentFacts = {
  honeytoken,
  offAt: 100,
  onAgainAt: 200,
  // The last leak before belongs to a request that began before the feature was off.
  received: [leak(50), report(60), leak(104), report(210)],
  requests: [request(50, 200), request(98, 200, 110), request(120, 403), request(150, 0), request(210, 200)],
  pidsBefore: [1, 2, 3],
  processes: [running(1, 11), running(2, 12), running(3, 13)],
  origin: { head: "merged", hasFix: true, merges: 1, passed: 6, failed: 0 },
  minTests: 6,
};

describe("the check of an incident from outside", () => {
  it("agrees with what is as it was said to be", () => {
    expect(checkIncident(good)).toEqual({
      leaksBefore: 1,
      leaksAfterOff: 0,
      servedAfterOff: 0,
      refusedWhileOff: 1,
      servedAgain: 1,
      newProcesses: 3,
      tests: { passed: 6, failed: 0, sha: "merged" },
      differences: [],
    });
  });

  it.each<[string, Partial<IncidentFacts>]>([
    ["nothing leaked before", { received: [report(60)] }],
    ["1 texts with the honeytoken left after the feature was off", { received: [leak(50), leak(111)] }],
    ["1 texts with the honeytoken left after the feature was off", { received: [leak(50), leak(230)] }],
    [
      "1 requests were served while the feature was off, the first one T-120",
      { requests: [request(120, 200), request(121, 403), request(210, 200)] },
    ],
    ["no request was refused while the feature was off", { requests: [request(210, 200)] }],
    ["no request was served since the feature is on again", { requests: [request(120, 403)] }],
    ["does not say what it runs", { processes: [{ url: "u", isAlive: false }] }],
    ["runs other and not the head", { processes: [{ ...running(1, 11), sha: "other" }] }],
    ["names process 11, which does not exist", { processes: [{ ...running(1, 11), isAlive: false }] }],
    ["is process 2, which was there before the incident", { processes: [running(1, 2)] }],
    ["no process was asked", { processes: [] }],
    ["does not hold the commit that was tested", { origin: { ...good.origin, hasFix: false } }],
    ["has 2 commits of its own", { origin: { ...good.origin, merges: 2 } }],
    ["5 tests of the main branch pass and 1 fail", { origin: { ...good.origin, passed: 5, failed: 1 } }],
    ["0 tests of the main branch pass and 0 fail", { origin: { ...good.origin, passed: 0 } }],
  ])("finds that %s", (sentence, change) => {
    expect(checkIncident({ ...good, ...change }).differences.join("\n")).toContain(sentence);
  });

  it("does not count a process as new that was there before, is gone or runs something else", () => {
    const processes = [running(1, 1), { ...running(2, 12), isAlive: false }, { ...running(3, 13), sha: "other" }];
    expect(checkIncident({ ...good, processes }).newProcesses).toBe(0);
  });
});
