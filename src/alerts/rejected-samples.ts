import type { RejectedNotification } from "../../packages/sdk/src/wire/alerts.ts";
import { maskSecrets } from "../../packages/sdk/src/wire/mask-secrets.ts";
import { escapeHidden } from "../core/clean-text.ts";

/** The newest refused bodies; bounded, in memory. */
export interface RejectedSamples {
  add(sample: RejectedNotification): void;
  /** Newest first. */
  list(): readonly RejectedNotification[];
}

const maxCharacters = 2000;

/** A ring of the newest `capacity` samples. Bodies are redacted here, so that none can be kept unredacted. */
export function createRejectedSamples(capacity = 20): RejectedSamples {
  const samples: RejectedNotification[] = [];
  return {
    add(sample) {
      samples.unshift({ ...sample, body: redactSample(sample.body) });
      samples.length = Math.min(samples.length, capacity);
    },
    list: () => samples,
  };
}

/** The beginning of a body, in one printable line: values of keys that name secrets, credentials in URLs and long random-looking words are gone. */
export function redactSample(body: string): string {
  const redacted = body
    .slice(0, maxCharacters)
    .replaceAll(/("[^"]*(?:secret|token|passw|authorization|credential|api_?key)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*("|$)/giu, '$1"[redacted]"')
    .replaceAll(/:\/\/[^/\s"@]+@/gu, "://[redacted]@")
    .replaceAll(/\b(Bearer|Basic)\s+[^\s"]+/giu, "$1 [redacted]")
    .replaceAll(/[A-Za-z0-9+_-]{32,}={0,2}/gu, "[redacted]");
  return escapeHidden(maskSecrets(redacted).replaceAll("\r", "\\u000d").replaceAll("\n", "\\u000a").replaceAll("\t", "\\u0009"));
}
