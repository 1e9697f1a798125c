import type { Composer } from "./create-composer.ts";

/** A composer whose texts went through a redaction: what a run stored may repeat a secret that a target gave away. */
export function withoutSecrets(composer: Composer, redact: (text: string) => string): Composer {
  return {
    async compose(row, now) {
      const composed = await composer.compose(row, now);
      if (composed.kind !== "mail") return composed;
      const { subject, text, html } = composed;
      return { kind: "mail", subject: redact(subject), text: redact(text), ...(html !== undefined && { html: redact(html) }) };
    },
  };
}
