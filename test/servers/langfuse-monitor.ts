import { createHmac } from "node:crypto";

/** Failures in a row after which Langfuse switches a webhook off; a person has to switch it on again. */
const maxFailures = 5;

/** What came of one message. `off`: the webhook was switched off before, and nothing was sent. */
export type MonitorReply = { readonly kind: "answered"; readonly status: number; readonly body: unknown } | { readonly kind: "off" };

/** How a message may be sent wrongly. */
export interface MonitorMishap {
  /** When it is signed, UTC ms; now by default. */
  readonly at?: number;
  /** The secret that it is signed with. */
  readonly secret?: string;
  /** Stands in place of the signature. */
  readonly header?: string;
}

/** The part of Langfuse that calls webhooks: signs each message, and gives up on a receiver that fails. */
export interface LangfuseMonitor {
  /** A text is sent as it is, anything else as JSON. */
  send(message: unknown, mishap?: MonitorMishap): Promise<MonitorReply>;
}

/** Calls `url` as Langfuse does: `x-langfuse-signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`. */
export function createLangfuseMonitor(webhook: {
  readonly url: string;
  readonly secret: string;
  readonly now: () => number;
}): LangfuseMonitor {
  let failures = 0;
  return {
    async send(message, { at = webhook.now(), secret = webhook.secret, header } = {}) {
      if (failures >= maxFailures) return { kind: "off" };
      const text = typeof message === "string" ? message : JSON.stringify(message);
      const seconds = Math.floor(at / 1000);
      const signed = `t=${seconds},v1=${createHmac("sha256", secret).update(`${seconds}.${text}`).digest("hex")}`;
      const response = await fetch(webhook.url, {
        method: "POST",
        headers: { "content-type": "application/json", "x-langfuse-signature": header ?? signed },
        body: text,
      });
      failures = response.ok ? 0 : failures + 1;
      return { kind: "answered", status: response.status, body: await response.json() };
    },
  };
}
