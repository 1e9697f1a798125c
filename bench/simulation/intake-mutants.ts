import type { AcceptWrite } from "../../src/alerts/store.ts";
import type { IntakeMutant } from "./intake-world.ts";

const writing =
  (change: (write: AcceptWrite) => AcceptWrite): IntakeMutant["store"] =>
  (store) => ({ read: async (keys) => store.read(keys), accept: async (writes) => store.accept(writes.map(change)) });

/** Ways to break intake, each of which the rules must find. */
export const intakeMutants: readonly IntakeMutant[] = [
  {
    name: "version-ignored",
    says: "an episode is written although it has changed since it was read",
    store: (store) => ({
      read: async (keys) => store.read(keys),
      async accept(writes) {
        const present = await store.read(writes);
        return store.accept(writes.map((write, index) => ({ ...write, expectedVersion: present[index]?.version ?? 0 })));
      },
    }),
  },
  {
    name: "open-run-ignored",
    says: "a run is started although one is open for its runbook and target",
    store: writing((write) => (write.run === undefined ? write : { ...write, run: { ...write.run, openKey: write.run.id } })),
  },
  {
    name: "end-untold",
    says: "a run is not told that its alert has ended",
    store: writing(({ resolves: _resolves, ...write }) => write),
  },
  {
    name: "end-forgotten",
    says: "the end of an episode is not kept, so that a late notification of its firing counts as a new one",
    store: (store) => ({
      accept: async (writes) => store.accept(writes),
      read: async (keys) =>
        (await store.read(keys)).map(({ version, episode }) =>
          episode?.endsAt === undefined ? { version, ...(episode !== undefined && { episode }) } : { version },
        ),
    }),
  },
];
