import { describeRunList } from "../../test/contracts/describe-run-list.ts";
import { createMemoryRunList } from "./memory-run-list.ts";

describeRunList("memory", async () => {
  const runs = createMemoryRunList();
  let time = 0;
  return {
    list: async (filter, page) => runs.list(filter, page),
    start: async (summary) => runs.start(summary, (time += 1)),
    suspend: async (id) => runs.suspend(id),
    end: async (id, outcome) => runs.end(id, outcome),
    now: async () => (time += 1),
  };
});
