import { schemaVersion } from "../../platform/redis/schema-version.ts";
import { type Finding, fault, fine } from "./diagnosis.ts";

/** Whether this program may write to a store of that version. `found`: undefined for an empty one. */
export function judgeSchema(found: number | undefined): Finding {
  const name = "Redis data";
  if (found === undefined) return fine(name, "none yet");
  if (found === schemaVersion) return fine(name, `version ${found}`);
  const detail = `version ${found}, and this program writes version ${schemaVersion}`;
  return fault(
    name,
    detail,
    found > schemaVersion
      ? "A newer runbookd has written here: run that one, or give this one a Redis of its own."
      : "An older runbookd has written here: let it finish its open runs, then give this one an empty Redis.",
  );
}
