import { describeCodeHost } from "../../test/contracts/describe-code-host.ts";
import { createMemoryCodeHost } from "./memory-code-host.ts";

const repository = "acme/desk";

describeCodeHost("memory", async () => {
  const host = createMemoryCodeHost([repository]);
  return {
    host,
    repository,
    commit: async (branch, files, message = "Change") => host.commit(repository, { branch, files, message }),
    tip: async (branch) => host.tip(repository, branch),
    parents: async (sha) => host.parents(repository, sha),
    issues: async () => host.issues(repository).map(({ title, body }) => `${title}\n\n${body}`),
    [Symbol.asyncDispose]: async () => undefined,
  };
});
