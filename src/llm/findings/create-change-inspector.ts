import { maskSecrets } from "../../../packages/sdk/src/wire/mask-secrets.ts";
import { withoutCredentials } from "../../core/canonical-repository.ts";
import { sha256 } from "../../core/json.ts";
import type { Log } from "../../core/log.ts";
import { shortLine } from "../../core/one-line.ts";
import type { ChangedFile, Checkpoint, CheckpointRepository } from "../tickets/checkpoint.ts";
import type { SecretDetector } from "./create-secret-detector.ts";
import type { InspectedText } from "./secret-detection.ts";
import { maxScannedLength } from "./secret-scanner.ts";

/** Looks for secrets in what tickets change, beside their work. */
export interface ChangeInspector {
  /** Takes a checkpoint to be looked through, and returns at once. Never throws: what could not be looked at marks the source as down. */
  inspect(checkpoint: Checkpoint): void;
  /** Resolves when everything that was taken has been looked through. */
  settled(): Promise<void>;
}

/** What an inspector of changes needs. */
export interface ChangeInspectorDeps {
  readonly checkpoints: Pick<CheckpointRepository, "addresses" | "changes">;
  readonly detector: Pick<SecretDetector, "inspectAll">;
  readonly log: Pick<Log, "warn">;
}

/** Checkpoints that may wait. */
const maxWaiting = 20;

/** Two parts of a long file have this much in common, so that a secret at the end of one is whole in the next. */
const overlap = 8192;

/** Files that are remembered as looked through: stages save the same work again, and a secret is counted once. */
const maxRemembered = 5000;

const source: InspectedText["source"] = "runbookd-changes";

/** Looks through one checkpoint at a time. A file that was looked through in this process is not looked through again. */
export function createChangeInspector({ checkpoints, detector, log }: ChangeInspectorDeps): ChangeInspector {
  const inspected = new Set<string>();
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();

  const remember = (key: string): void => {
    const [oldest] = inspected;
    if (inspected.size >= maxRemembered && oldest !== undefined) inspected.delete(oldest);
    inspected.add(key);
  };

  const inspectNow = async (checkpoint: Checkpoint): Promise<void> => {
    const { files, unread } = await checkpoints.changes(checkpoint);
    const [address = ""] = await checkpoints.addresses();
    const repository = withoutCredentials(address);
    const added = files.map((file) => ({ file, key: keyOf(file) })).filter(({ key }) => !inspected.has(key));
    const texts = added.flatMap(({ file }) => partsOf(file, repository));
    const fault = unread === 0 ? undefined : `${unread} files that a ticket has changed are too large or too many, and were not scanned.`;
    if (await detector.inspectAll(source, texts, fault)) for (const { key } of added) remember(key);
  };

  const reportFault = async (reason: string): Promise<void> => {
    const fault = `The changes of a ticket were not scanned: ${reason}`;
    log.warn({ source, reason }, "What a ticket has changed was not scanned for secrets; it is not taken for free of them.");
    try {
      await detector.inspectAll(source, [], fault);
    } catch (error) {
      log.warn({ source, error }, "It could not be recorded that the changes of a ticket were not scanned.");
    }
  };

  return {
    inspect(checkpoint) {
      const isFull = waiting >= maxWaiting;
      if (!isFull) waiting += 1;
      last = last.then(async () => {
        if (isFull) return reportFault(`${maxWaiting} were waiting already.`);
        try {
          await inspectNow(checkpoint);
        } catch (error) {
          await reportFault(shortLine(maskSecrets(error instanceof Error ? error.message : "the reason is unknown."), 300));
        } finally {
          waiting -= 1;
        }
      });
    },
    settled: async () => last,
  };
}

function keyOf({ path, text, before }: ChangedFile): string {
  return sha256(JSON.stringify([path, sha256(text), sha256(before)]));
}

/** The file in parts that the scanner takes, each with the line that it begins with. */
function partsOf({ path, text, before }: ChangedFile, repository: string): readonly Omit<InspectedText, "source">[] {
  const parts: Omit<InspectedText, "source">[] = [];
  let [line, counted] = [1, 0];
  for (let start = 0; start === 0 || start + overlap < text.length; start += maxScannedLength - overlap) {
    line += text.slice(counted, start).split("\n").length - 1;
    counted = start;
    const location = { ...(repository !== "" && { repository }), path, line };
    parts.push({ what: "the changes of a ticket", text: text.slice(start, start + maxScannedLength), before, location });
  }
  return parts;
}
