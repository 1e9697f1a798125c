// Prints what each client library hands to its user, as JSON: one line per call. Runs under the Node of test/node24.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { aiSdkClients } from "./ai-sdk-clients.js";
import { startCannedServer } from "./canned-server.js";
import { instrumentedClients } from "./instrumented-clients.js";
import { langChainClients } from "./langchain-clients.js";
import { providerClients } from "./provider-clients.js";

const server = await startCannedServer();
// The instrumentation changes the clients that it wraps, so it comes last.
for (const group of [providerClients, aiSdkClients, langChainClients, instrumentedClients]) {
  for (const one of group(server)) {
    const { library, reads, name, turn } = one;
    const { provider, model, bill } = turn;
    const outcome = await one.call().then(
      (usage) => ({ usage: usage ?? null }),
      (error) => ({ error: String(error) }),
    );
    process.stdout.write(`${JSON.stringify({ library, version: versionOf(library), reads, name, provider, model, ...outcome, bill })}\n`);
  }
}
server.stop();

function versionOf(library) {
  return JSON.parse(readFileSync(join(import.meta.dirname, "node_modules", library, "package.json"), "utf8")).version;
}
