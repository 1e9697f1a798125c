import type { Composer } from "./create-composer.ts";

/** A composer whose texts went through a redaction: what a run stored may repeat a secret that a target gave away. */
export function withoutSecrets(composer: Composer, redact: (text: string) => string): Composer {
  return {
    async compose(row, now) {
      const composed = await composer.compose(row, now);
      if (composed.kind !== "mail") return composed;
      const { html } = composed;
      // The page's address consists of the configured address and the run's id.
      return {
        ...composed,
        subject: redact(composed.subject),
        text: redact(composed.text),
        ...(html !== undefined && { html: redact(html) }),
      };
    },
  };
}
