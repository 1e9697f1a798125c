/** Replaces registered secrets by value, wherever and however they turn up in a text. */
export interface Redaction {
  /** Registers a secret. Shorter than 4 characters is ignored: it would tear ordinary words apart. */
  add(secret: string): void;
  apply(text: string): string;
}

/** What stands in a secret's place. */
export const redacted = "[secret]";

/** Covers each secret raw, JSON-escaped, URL-encoded and in base64 at any alignment (as in `Basic` credentials), both alphabets. */
export function createRedaction(secrets: readonly string[] = []): Redaction {
  const forms = new Set<string>();
  let pattern: RegExp | undefined;
  const redaction: Redaction = {
    add(secret) {
      if (secret.length < 4) return;
      for (const form of formsOf(secret)) forms.add(form);
      // The longest first, so that a secret inside another does not leave the rest of it behind.
      const sorted = [...forms].sort((a, b) => b.length - a.length);
      pattern = new RegExp(sorted.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`)).join("|"), "g");
    },
    apply: (text) => (pattern === undefined ? text : text.replaceAll(pattern, redacted)),
  };
  for (const secret of secrets) redaction.add(secret);
  return redaction;
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret, "utf8");
  const encoded = [0, 1, 2].flatMap((shift) => {
    const stable = stableBase64(bytes, shift);
    return [stable, stable.replaceAll("+", "-").replaceAll("/", "_")];
  });
  const url = encodeURIComponent(secret);
  const form = new URLSearchParams([["", secret]]).toString().slice(1);
  return [secret, JSON.stringify(secret).slice(1, -1), url, url.toLowerCase(), form, ...encoded.filter((text) => text.length >= 6)];
}

/** The base64 characters that depend on these bytes alone when `shift` other bytes precede them. */
function stableBase64(bytes: Buffer, shift: number): string {
  const text = Buffer.concat([Buffer.alloc(shift), bytes])
    .toString("base64")
    .replaceAll("=", "");
  const first = Math.ceil((shift * 8) / 6);
  const last = Math.floor(((shift + bytes.length) * 8) / 6);
  return text.slice(first, last);
}
