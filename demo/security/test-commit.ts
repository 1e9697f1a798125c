import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { runTests } from "../ticket/run-tests.ts";
import { checkOutCommit } from "./check-out-commit.ts";

/*
 * The registered command that tests one commit: `node test-commit.js <commit>`. The commit is checked out in a folder of its own, and the last line of the output is
 * what came of its tests.
 */

const { COMMAND_GIT: git, COMMAND_ORIGIN: origin } = z
  .looseObject({ COMMAND_GIT: z.string(), COMMAND_ORIGIN: z.string() })
  .parse(process.env);
const [sha = ""] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), "desk-tests-"));
try {
  const place = join(folder, "desk");
  const tested = await checkOutCommit({ git, origin, sha, folder: place });
  const { passed, failed, skipped } = await runTests(place);
  console.log(JSON.stringify({ sha: tested, passed, failed, skipped }));
} finally {
  await rm(folder, { recursive: true, force: true });
}
