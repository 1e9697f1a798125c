import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";

/** An SMTP receiver that keeps what it was given. */
export interface SmtpSink extends AsyncDisposable {
  readonly port: number;
  /** `smtp://127.0.0.1:<port>`. */
  readonly url: string;
  /** In the order of arrival. */
  readonly mails: readonly ParsedMail[];
  /** Resolves with all mails once at least `count` have arrived; rejects after `withinMs` (10 s). */
  received(count: number, withinMs?: number): Promise<readonly ParsedMail[]>;
  /** From now on answers every message with this SMTP status, e.g. 451 or 550; `undefined` accepts again. */
  refuse(code: number | undefined): void;
}

/** Listens on a free loopback port without TLS and authentication. */
export async function startSmtpSink(): Promise<SmtpSink> {
  const mails: ParsedMail[] = [];
  let refusal: number | undefined;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    onData(stream, _session, callback) {
      simpleParser(stream).then(
        (mail) => {
          if (refusal === undefined) {
            mails.push(mail);
            callback();
          } else {
            callback(Object.assign(new Error("refused by the test"), { responseCode: refusal }));
          }
          return undefined;
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
      );
    },
  });
  server.on("error", () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.server.address();
  if (address === null || typeof address === "string") throw new Error("The SMTP sink has no port.");
  return {
    port: address.port,
    url: `smtp://127.0.0.1:${address.port}`,
    mails,
    async received(count, withinMs = 10_000) {
      const deadline = performance.now() + withinMs;
      while (mails.length < count) {
        if (performance.now() > deadline) throw new Error(`${mails.length} of ${count} mails arrived within ${withinMs} ms.`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return mails;
    },
    refuse(code) {
      refusal = code;
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}
