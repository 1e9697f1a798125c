import { type Finding, fault, fine } from "../../core/diagnosis.ts";
import { readableVersions, schemaVersion } from "./schema-version.ts";

const otherRedis = "set REDIS_URL to an empty Redis (without REDIS_URL: RUNBOOKD_DATA to an empty folder)";
const olderData =
  "An older runbookd wrote this data, and it is not converted. Start that version again, let its open runs and batches " +
  `end, stop it, then ${otherRedis}. Keep the old Redis if you need its runs and its audit log.`;
const newerData = `A newer runbookd wrote this data. Start that version, or ${otherRedis}.`;

/** Whether this program may use a store of that version. `found`: undefined if the store is empty. */
export function judgeSchema(storedVersion: number | undefined): Finding {
  const name = "Redis data";
  if (storedVersion === undefined) return fine(name, "none yet");
  if (storedVersion === schemaVersion) return fine(name, `version ${storedVersion}`);
  if (readableVersions.includes(storedVersion)) return fine(name, `version ${storedVersion}, which becomes ${schemaVersion}`);
  return fault(
    name,
    `the data has layout version ${storedVersion}, this runbookd uses version ${schemaVersion}`,
    storedVersion > schemaVersion ? newerData : olderData,
  );
}
