import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import type { Clock, Instant } from "../src/core/clock.ts";

/** One mail as it arrived. */
export interface ReceivedMail {
  readonly at: Instant;
  readonly messageId: string;
  readonly subject: string;
  readonly to: readonly string[];
  readonly text: string;
  readonly html: string;
  /** The bytes as they came. */
  readonly source: string;
}

/** An SMTP server that keeps what it gets. */
export interface MailSink extends AsyncDisposable {
  /** `smtp://127.0.0.1:<port>`. */
  readonly url: string;
  readonly mails: readonly ReceivedMail[];
}

/** Starts an SMTP server on loopback that accepts every mail without authentication. */
export async function startMailSink(clock: Clock): Promise<MailSink> {
  const mails: ReceivedMail[] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.once("end", () => {
        const source = Buffer.concat(chunks);
        simpleParser(source).then((mail) => {
          mails.push({
            at: clock.now(),
            messageId: mail.messageId ?? "",
            subject: mail.subject ?? "",
            to: session.envelope.rcptTo.map(({ address }) => address),
            text: mail.text ?? "",
            html: typeof mail.html === "string" ? mail.html : "",
            source: source.toString("utf8"),
          });
          done();
        }, done);
      });
    },
  });
  server.on("error", () => undefined);
  const port = await new Promise<number>((resolve, reject) => {
    const listening = server.listen(0, "127.0.0.1", () => {
      const address = listening.address();
      if (address === null || typeof address === "string") reject(new Error("The mail sink has no port."));
      else resolve(address.port);
    });
  });
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
      }),
  };
}
