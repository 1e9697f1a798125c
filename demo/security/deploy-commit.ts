import { z } from "zod";
import { putIntoService } from "./release-client.ts";

/*
 * The registered command that puts one commit into service: `node deploy-commit.js <commit> <key>`. The process manager does it; the same key again only waits for it.
 */

const { COMMAND_SUPERVISOR: supervisor } = z.looseObject({ COMMAND_SUPERVISOR: z.string() }).parse(process.env);
const [sha = "", key = ""] = process.argv.slice(2);
await putIntoService({ supervisor, key, sha });
console.log(JSON.stringify({ sha }));
