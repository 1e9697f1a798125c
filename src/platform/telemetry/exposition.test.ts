import { expect, it } from "@jest/globals";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { counter, gauge } from "./declare-metric.ts";
import { createExposition, type Exposition } from "./exposition.ts";

const linesOf = async (exposition: Exposition) => (await exposition.metrics()).split("\n").filter((line) => line.startsWith("runbookd_a_"));

it("reads observed gauges at every scrape, and drops them when they cannot be read", async () => {
  const exposition = createExposition();
  const lag = gauge(exposition.registry, { name: "runbookd_a_lag_seconds", help: "A lag." });
  const jobs = gauge(exposition.registry, { name: "runbookd_a_jobs", help: "Jobs.", labels: ["queue", "state"] });
  let seen: number | undefined = 3;
  exposition.observe([lag, jobs], async () => {
    if (seen === undefined) throw new Error("gone");
    lag.set(seen);
    jobs.set({ queue: "run", state: "waiting" }, seen);
  });
  expect(await linesOf(exposition)).toEqual(["runbookd_a_lag_seconds 3", 'runbookd_a_jobs{queue="run",state="waiting"} 3']);
  seen = undefined;
  expect(await linesOf(exposition)).toEqual([]);
});

it("drops observed gauges that take longer than two seconds to read", async () => {
  const clock = createFakeClock();
  const exposition = createExposition({ clock });
  const lag = gauge(exposition.registry, { name: "runbookd_a_lag_seconds", help: "A lag." });
  lag.set(1);
  exposition.observe([lag], async () => clock.sleep(2001));
  const scraped = linesOf(exposition);
  await clock.advance(2000);
  expect(await scraped).toEqual([]);
});

it("gives two expositions two registries", async () => {
  const [one, two] = [createExposition(), createExposition()];
  const declare = ({ registry }: Exposition) => counter(registry, { name: "runbookd_a_writes_total", help: "Writes." });
  declare(one).inc();
  declare(two);
  expect(await linesOf(two)).toEqual(["runbookd_a_writes_total 0"]);
});

it("shows what is known in advance at zero, and no gauge that nobody has set", async () => {
  const exposition = createExposition();
  counter(exposition.registry, {
    name: "runbookd_a_decisions_total",
    help: "Decisions.",
    labels: ["decision"],
    initialLabels: [{ decision: "joined" }, { decision: "refused" }],
  });
  gauge(exposition.registry, { name: "runbookd_a_lag_seconds", help: "A lag." });
  expect(await linesOf(exposition)).toEqual([
    'runbookd_a_decisions_total{decision="joined"} 0',
    'runbookd_a_decisions_total{decision="refused"} 0',
  ]);
});
