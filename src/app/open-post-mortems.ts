import { join } from "node:path";
import type { Redis } from "ioredis";
import type { PostMortemPorts } from "../llm/releases/actions/write-post-mortem.ts";
import { createPostMortemFolder } from "../llm/releases/post-mortem-folder.ts";
import { createRunReader } from "../runs/redis-run-reader.ts";
import type { Runtime } from "./runtime.ts";

/** Where a post-mortem reads the record of its run, and the folder for those that no code host takes. */
export function openPostMortems({ config, clock }: Runtime, redis: Redis): Pick<PostMortemPorts, "readJournal" | "postMortems"> {
  const runs = createRunReader(redis, clock);
  return {
    readJournal: async (runId) => (await runs.get(runId))?.journal,
    postMortems: createPostMortemFolder(join(config.dataFolder, "post-mortems")),
  };
}
