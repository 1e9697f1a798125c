import { Socket } from "node:net";
import { createTransport } from "nodemailer";
import { errorField } from "../../core/error-field.ts";
import type { MailDelivery, MailSender } from "../../core/outbox.ts";

/** The mail server. */
export interface SmtpSender extends MailSender {
  /** Whether it can be reached and lets us in; for `runbookd doctor`. When the signal is aborted the connection is closed. */
  verify(signal: AbortSignal): Promise<{ readonly ok: true } | { readonly ok: false; readonly error: string }>;
  close(): void;
}

/** `url` is smtp:// or smtps:// and may hold credentials; `from` is one plain address. */
export interface SmtpOptions {
  readonly url: string;
  readonly from: string;
  /** Longest wait for each of connection, greeting and silence; 10 s unless said. */
  readonly timeoutMs?: number;
}

/** One plain address: anything more could be read as two recipients. */
const plainAddress = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}$/;

/** Speaks SMTP. Reads no file and no URL, whatever a mail says. */
export function createSmtpSender({ url, from, timeoutMs = 10_000 }: SmtpOptions): SmtpSender {
  const options = {
    url,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  };
  const transport = createTransport(options);
  return {
    async send({ to, subject, text, html, messageId }, signal): Promise<MailDelivery> {
      const wrong = to.filter((address) => !plainAddress.test(address));
      if (to.length === 0 || wrong.length > 0) {
        return { kind: "failed", retry: false, error: `${wrong.length} of ${to.length} recipients are no plain addresses` };
      }
      try {
        const info = await transport.sendMail({
          from: { name: "runbookd", address: from },
          to: to.map((address) => ({ name: "", address })),
          subject,
          text,
          messageId,
          headers: { "Auto-Submitted": "auto-generated" },
          disableFileAccess: true,
          disableUrlAccess: true,
          signal,
          ...(html !== undefined && { html }),
        });
        return { kind: "sent", refused: info.rejected.map(String) };
      } catch (error) {
        return failedDelivery(error);
      }
    },
    async verify(signal) {
      // Its own socket: nodemailer ends none that is in use, and a server that always has one line more would keep it in use for ever.
      const socket = new Socket();
      const end = () => void socket.destroy();
      signal.addEventListener("abort", end, { once: true });
      try {
        signal.throwIfAborted();
        await createTransport({ ...options, socket }).verify();
        return { ok: true };
      } catch (error) {
        if (signal.aborted) return { ok: false, error: "it answers, and does not come to an end" };
        const delivery = failedDelivery(error);
        return { ok: false, error: delivery.kind === "failed" ? delivery.error : "unknown" };
      } finally {
        signal.removeEventListener("abort", end);
        // What the server does with our farewell keeps no process alive.
        socket.unref();
      }
    },
    close: () => transport.close(),
  };
}

/** 5xx is final, except for what a person repairs without touching the mail: credentials and trust. Everything else may get better. */
function failedDelivery(error: unknown): MailDelivery {
  const [code, status] = [errorField(error, "code"), errorField(error, "responseCode")];
  const final = typeof status === "number" && status >= 500 && code !== "EAUTH";
  // The server's own text may repeat what it was sent, so only the codes are kept.
  return {
    kind: "failed",
    retry: !final,
    error: [code, status].filter((part) => typeof part === "string" || typeof part === "number").join(" ") || "error",
  };
}
