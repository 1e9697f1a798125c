import { describeCheckpoints } from "../../test/contracts/describe-checkpoints.ts";
import { createMemoryCheckpoints } from "./memory-checkpoints.ts";

describeCheckpoints("memory", async () => {
  const repository = createMemoryCheckpoints({ "a.txt": "base" });
  return {
    repository,
    write: async (ticketId, files) => repository.write(ticketId, files),
    files: async (ticketId) => repository.files(ticketId) ?? {},
    damage: async (ticketId, n) => repository.damage(ticketId, n),
    conflict: async (ticketId) => repository.conflict(ticketId, ["a.txt"]),
    merge: async (ticketId) => repository.publishedIs(ticketId, "merged"),
    buildOn: async (ticketId) => repository.publishedIs(ticketId, "moved"),
  };
});
