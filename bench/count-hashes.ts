import crypto from "node:crypto";
import { writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/*
 * Preloaded into a program under test: counts how often it asks for a hash, and writes the count to the file of COUNT_HASHES_TO at SIGUSR2.
 */

let hashes = 0;
const { hash } = crypto;
crypto.hash = new Proxy(hash, {
  apply(target, self, args) {
    hashes += 1;
    return Reflect.apply(target, self, args);
  },
});
syncBuiltinESMExports();
process.on("SIGUSR2", () => writeFileSync(process.env["COUNT_HASHES_TO"] ?? "hashes", String(hashes)));
