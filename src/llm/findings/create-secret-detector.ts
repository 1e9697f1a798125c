import type { OutputInspection } from "../../../packages/sdk/src/wire/outputs.ts";
import type { ReportedSecurityFinding, SecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { Clock } from "../../core/clock.ts";
import { type HoneytokenStore, promptsOfHoneytokens } from "../prompts/honeytoken.ts";
import { detectionsOf, type InspectedText, type SecretDetection } from "./secret-detection.ts";
import type { SecretScan, SecretScanner } from "./secret-scanner.ts";
import { unknownFeature } from "./security-finding.ts";
import type { SecurityFindingStore } from "./security-finding-store.ts";

/** Keeps findings and judges them. Rejects with StoreUnavailable when the store does not answer. */
export interface DetectionIntake {
  /** One result a finding, in their order. Without `finding` it was not kept. */
  take(findings: readonly ReportedSecurityFinding[]): Promise<readonly { readonly finding?: Pick<SecurityFinding, "feature"> }[]>;
}

/** What is counted of a secret. */
export interface DetectedSecret extends Pick<SecretDetection, "confidence"> {
  readonly source: string;
  readonly feature: string;
}

/** Ports of own detection. */
export interface SecretDetectorDeps {
  readonly scanner: SecretScanner;
  readonly honeytokens: Pick<HoneytokenStore, "all">;
  /** Where findings come in. */
  readonly intake: DetectionIntake;
  readonly sources: Pick<SecurityFindingStore, "recordSource">;
  readonly clock: Pick<Clock, "now">;
  /** Called once for each secret, also when its finding cannot be kept, with the feature that it was found in. */
  readonly onDetected: (detection: DetectedSecret) => void;
}

/** Looks for secrets in texts, and stores findings and nothing of the texts. */
export interface SecretDetector {
  /** Rejects with StoreUnavailable when a finding cannot be stored. */
  inspect(text: InspectedText): Promise<OutputInspection>;
  /**
   * Looks through texts that belong together. Their source counts as read when each was scanned and `fault`, a sentence that says what could not be looked
   * at, is undefined. False: a text was not scanned, or a finding of it was not kept. Rejects as `inspect` does.
   */
  inspectAll(source: InspectedText["source"], texts: readonly Omit<InspectedText, "source">[], fault?: string): Promise<boolean>;
}

/** How often it is recorded that a source can be read. */
const sourceRecordedEveryMs = 60_000;

/** Scans what applications report and what tickets change. A text that could not be scanned makes its source blind until one is scanned again. */
export function createSecretDetector({ scanner, honeytokens, intake, sources, clock, onDetected }: SecretDetectorDeps): SecretDetector {
  const recorded = new Map<string, { readonly up: boolean; readonly at: number; readonly seenAt?: number }>();

  const recordSource = async (source: string, fault: string | undefined): Promise<void> => {
    const at = clock.now();
    const before = recorded.get(source);
    const up = fault === undefined;
    if (before?.up === up && at - before.at < sourceRecordedEveryMs) return;
    const seenAt = up ? at : before?.seenAt;
    const lastRead = seenAt === undefined ? {} : { seenAt };
    await sources.recordSource({ source, up, ...lastRead, ...(!up && { reason: fault }) });
    recorded.set(source, { up, at, ...lastRead });
  };

  /** False: at least one finding was not kept. */
  const keep = async (detections: readonly SecretDetection[]): Promise<boolean> => {
    if (detections.length === 0) return true;
    let results: Awaited<ReturnType<DetectionIntake["take"]>> = [];
    try {
      results = await intake.take(detections.map(({ finding }) => finding));
    } finally {
      for (const [index, { confidence, finding }] of detections.entries()) {
        const feature = results[index]?.finding?.feature ?? finding.feature ?? unknownFeature;
        onDetected({ confidence, source: finding.source, feature });
      }
    }
    return results.every(({ finding }) => finding !== undefined);
  };

  const scanOne = async (inspected: InspectedText): Promise<OutputInspection & { readonly fault: string | undefined }> => {
    const [scan, tokens] = await Promise.all([scanner.scan(inspected.text), honeytokens.all()]);
    const before = new Set(inspected.before === undefined ? [] : promptsOfHoneytokens(inspected.before, tokens));
    const detected = {
      secrets: scan.kind === "scanned" ? scan.secrets : [],
      honeytokensOf: promptsOfHoneytokens(inspected.text, tokens).filter((prompt) => !before.has(prompt)),
    };
    const detections = detectionsOf(inspected, detected, clock.now());
    const isKept = await keep(detections);
    return { scanned: scan.kind === "scanned", detections: detections.length, fault: faultOf(scan, isKept) };
  };

  return {
    async inspect(inspected) {
      const { fault, ...inspection } = await scanOne(inspected);
      await recordSource(inspected.source, fault);
      return inspection;
    },
    async inspectAll(source, texts, fault) {
      const faults: string[] = [];
      for (const text of texts) {
        const inspection = await scanOne({ ...text, source });
        if (inspection.fault !== undefined) faults.push(inspection.fault);
      }
      await recordSource(source, fault ?? faults[0]);
      return faults.length === 0;
    },
  };
}

function faultOf(scan: SecretScan, isKept: boolean): string | undefined {
  if (scan.kind === "unscanned") return `A text was not scanned: ${scan.reason}.`;
  return isKept ? undefined : "A secret was found, and its finding could not be kept.";
}
