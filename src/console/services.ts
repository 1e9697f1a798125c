import { createContext } from "preact";
import { useContext, useEffect, useMemo } from "preact/hooks";
import type { PageClock } from "./page-clock.ts";
import { createResource, type Reading, type Requests } from "./resource.ts";
import type { Router } from "./router.ts";
import type { Session } from "./session.ts";

/** What every page works with. */
export interface Services {
  readonly clock: PageClock;
  readonly router: Router;
  readonly session: Session;
  readonly requests: Requests;
}

/** Provides {@link Services} to the pages. */
export const ServicesContext = createContext<Services | undefined>(undefined);

/** The services of the page. Throws outside of the page's root. */
export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === undefined) throw new Error("The page is rendered outside of ServicesContext.");
  return services;
}

/** Milliseconds between two reads of what may change. */
const refreshMs = 3000;

/** What is there of an address; it is read when the page opens, and again every three seconds while `isOpen` says so. */
export function useReading<Body>(url: string, isOpen: (reading: Reading<Body>) => boolean = () => false): Reading<Body> {
  const { requests } = useServices();
  const resource = useMemo(() => createResource<Body>(requests, url), [requests, url]);
  useEffect(() => {
    void resource.refresh().then(() => resource.refreshEvery(refreshMs, () => isOpen(resource.reading.value)));
    return () => resource.close();
  }, [resource]);
  return resource.reading.value;
}
