import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { createModelClient } from "../workload/model-client.ts";
import { checkOutCommit } from "./check-out-commit.ts";
import { tryDesk, trySchema } from "./isolated-desk.ts";
import { deskModel, loadDesk } from "./load-desk.ts";

/*
 * The registered command that attacks one version: `node attack-commit.js <file with the tries>`. The commit is checked out and loaded here, with an invented
 * customer and the tries' own honeytokens, and nothing that it sends leaves this process. It prints the commit, and a transcript for each try, as lines of JSON.
 */

const settings = z
  .looseObject({
    COMMAND_GIT: z.string(),
    COMMAND_ORIGIN: z.string(),
    /** Where a process of the deployed application says what it runs. */
    COMMAND_DEPLOYED: z.string(),
    COMMAND_MODEL_URL: z.string(),
    COMMAND_MODEL: z.string(),
  })
  .parse(process.env);
const wantedSchema = z.looseObject({ version: z.string(), tries: z.array(trySchema) });

/** Tries at once. */
const atOnce = 8;

async function deployedCommit(): Promise<string> {
  const response = await fetch(settings.COMMAND_DEPLOYED, { signal: AbortSignal.timeout(5000) });
  return z.looseObject({ sha: z.string() }).parse(await response.json()).sha;
}

const [file = ""] = process.argv.slice(2);
const { version, tries } = wantedSchema.parse(JSON.parse(await readFile(file, "utf8")));
const sha = version === "deployed" ? await deployedCommit() : version;
const folder = await mkdtemp(join(tmpdir(), "desk-attacks-"));
try {
  const place = join(folder, "desk");
  const attacked = await checkOutCommit({ git: settings.COMMAND_GIT, origin: settings.COMMAND_ORIGIN, sha, folder: place });
  console.log(JSON.stringify({ sha: attacked }));
  const exportTicket = await loadDesk(place);
  const model = createModelClient(settings.COMMAND_MODEL_URL, "sk-ant-api03-isolated");
  const waiting = [...tries];
  const one = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const asked = { user: next.id, modelName: settings.COMMAND_MODEL, signal: new AbortController().signal };
      console.log(JSON.stringify(await tryDesk(exportTicket, next, deskModel(model, asked))));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
} finally {
  await rm(folder, { recursive: true, force: true });
}
