import { writeFile } from "node:fs/promises";
import type { StartedProcess } from "../process-group.ts";
import type { ScenarioContext } from "../scenario.ts";
import { startApplication } from "../start-application.ts";
import { waitUntil } from "../wait-until.ts";
import { type DeskPlaces, deskBudget, deskModelName, exportFeature, versionUrlOf } from "./desk-places.ts";
import { earlierCorpus } from "./isolated-desk.ts";
import { putIntoService } from "./release-client.ts";

/** A ticket is exported so often: 20 a second. */
const ticketEveryMs = 50;
/** How often each process asks for its flag. */
const refreshMs = 500;

/** The processes around the application. */
export interface StartedDesk {
  readonly customers: StartedProcess;
}

/** Defines budget and flag, starts listener, process manager and customers, and resolves when the first release serves. */
export async function startDesk(context: ScenarioContext, places: DeskPlaces): Promise<StartedDesk> {
  const { system, clock, signal } = context;
  await system.api.defineBudget({
    id: deskBudget,
    limitMicroUsd: 100_000_000_000,
    periodMs: 21_600_000,
    periodStartsAt: clock.now() - 60_000,
  });
  await system.api.defineFlag(exportFeature, {
    type: "boolean",
    variants: { on: true, off: false },
    state: "on",
    offVariant: "off",
    defaultVariant: "on",
    feature: exportFeature,
    reason: "As it has been for a year.",
  });
  const { supervisorPort, listenerPort, ports } = places;
  const listener = `http://127.0.0.1:${listenerPort}`;
  startApplication(context, {
    name: "token-listener",
    module: "security/token-listener",
    env: { LISTENER_PORT: String(listenerPort), LISTENER_LOG: places.listenerLog },
  });
  startApplication(context, {
    name: "desk",
    module: "security/desk-supervisor",
    env: {
      SUPERVISOR_PORT: String(supervisorPort),
      SUPERVISOR_PORTS: ports.join(","),
      SUPERVISOR_GIT: places.git,
      SUPERVISOR_ORIGIN: places.repository.origin,
      SUPERVISOR_FOLDER: places.releases,
      SUPERVISOR_LOG: places.supervisorLog,
      DESK_FLAG: exportFeature,
      DESK_BUDGET: deskBudget,
      DESK_MODEL: deskModelName,
      DESK_HONEYTOKEN: places.honeytoken,
      DESK_REPORTS: `${listener}/reports`,
      DESK_REFRESH_MS: String(refreshMs),
    },
  });
  const supervisor = `http://127.0.0.1:${supervisorPort}`;
  const isUp = async () => ((await fetch(`${supervisor}/releases/none`)).status === 404 ? true : undefined);
  await waitUntil(clock, "The process manager did not start", isUp, { withinMs: 60_000, signal });
  await putIntoService({ supervisor, key: "first", sha: places.repository.deployedSha });
  // The weekly replay needs something to attack: it takes a corpus that it finds.
  await writeFile(places.corpus, earlierCorpus);
  const customers = startApplication(context, {
    name: "customers",
    module: "security/desk-customers",
    env: {
      CUSTOMERS_LOG: places.customersLog,
      CUSTOMERS_PORTS: ports.join(","),
      CUSTOMERS_EVERY_MS: String(ticketEveryMs),
      CUSTOMERS_COLLECTOR: `${listener}/collect`,
    },
  });
  return { customers };
}

/** Process ids of the application, as its processes say. */
export async function readPids({ ports }: Pick<DeskPlaces, "ports">): Promise<readonly number[]> {
  return Promise.all(
    ports.map(async (port) => {
      const response = await fetch(versionUrlOf(port), { signal: AbortSignal.timeout(5000) });
      const said: { pid: number } = JSON.parse(await response.text());
      return said.pid;
    }),
  );
}
