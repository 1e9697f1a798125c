import type { Evidence, EvidenceEntry } from "../../../packages/sdk/src/wire/evidence.ts";
import { canonicalJson } from "../../../packages/sdk/src/wire/json.ts";
import { maskSecrets } from "../../../packages/sdk/src/wire/mask-secrets.ts";
import type { Instant } from "../../core/clock.ts";
import { sha256 } from "../../core/json.ts";

/** Something that is to be kept, as it was read. */
export interface EvidenceItem {
  readonly kind: EvidenceEntry["kind"];
  readonly id: string;
  readonly text: string;
}

/** What was read, and what could not be. */
export interface CollectedEvidence {
  readonly items: readonly EvidenceItem[];
  readonly missing: readonly string[];
}

const maxEntries = 500;
/** Of one text, in characters. */
const maxText = 65_536;
/** Of all texts, in characters. */
const maxTexts = 4_000_000;
const maxMissing = 50;

/** Makes the manifest of what was collected, bounded and without what looks like a secret. Pure: the same items make the same hash. */
export function buildEvidence(
  about: { readonly id: string; readonly feature: string; readonly runId: string; readonly at: Instant },
  { items, missing }: CollectedEvidence,
): Evidence {
  const entries: EvidenceEntry[] = [];
  const texts: string[] = [];
  let remaining = maxTexts;
  for (const { kind, id, text } of items) {
    if (entries.length === maxEntries || remaining <= 0) break;
    const masked = maskSecrets(text);
    const kept = masked.slice(0, Math.min(maxText, remaining));
    remaining -= kept.length;
    entries.push({ kind, id: maskSecrets(id), sha256: sha256(kept), characters: masked.length, cut: kept.length < masked.length });
    texts.push(kept);
  }
  const manifest = { ...about, entries, missing: missing.slice(0, maxMissing).map(maskSecrets), omitted: items.length - entries.length };
  return { manifest, sha256: manifestHash(manifest), texts };
}

/** The hash that seals a manifest. */
export function manifestHash(manifest: Evidence["manifest"]): string {
  return sha256(canonicalJson(manifest));
}

/** Whether every text and the manifest are what their hashes say. */
export function isWhole({ manifest, sha256: sealed, texts }: Evidence): boolean {
  return (
    manifestHash(manifest) === sealed &&
    texts.length === manifest.entries.length &&
    manifest.entries.every((entry, nth) => sha256(texts[nth] ?? "") === entry.sha256)
  );
}
