import { createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { SMTPServer } from "smtp-server";
import { type SmtpSink, startSmtpSink } from "../../../test/servers/smtp-sink.ts";
import type { Mail } from "../../core/outbox.ts";
import { createSmtpSender } from "./create-smtp-sender.ts";

const mail: Mail = {
  to: ["team@example.org"],
  subject: "Review",
  text: "plain",
  html: "<p>html</p>",
  messageId: "<abc.runbookd@example.org>",
};
const { signal } = new AbortController();
const releases: (() => Promise<void>)[] = [];
let sink: SmtpSink;

beforeEach(async () => {
  sink = await startSmtpSink();
});

afterEach(async () => {
  for (const release of releases.splice(0)) await release();
  await sink[Symbol.asyncDispose]();
});

const aSender = (url = sink.url) => createSmtpSender({ url, from: "runbookd@example.org", timeoutMs: 1000 });

/** Closed after the test, however it ends. */
async function listen(server: SMTPServer): Promise<number> {
  server.on("error", () => undefined);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  releases.push(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  );
  const address = server.server.address();
  return address !== null && typeof address === "object" ? address.port : 0;
}

describe("a mail server that takes it", () => {
  it("delivers text and HTML under the given Message-ID, each time", async () => {
    const sender = aSender();
    expect(await sender.send(mail, signal)).toEqual({ kind: "sent", refused: [] });
    expect(await sender.send(mail, signal)).toEqual({ kind: "sent", refused: [] });
    const [first, second] = await sink.received(2);
    expect(first).toMatchObject({ messageId: mail.messageId, subject: "Review", html: "<p>html</p>" });
    expect(first?.text?.trim()).toBe("plain");
    expect(second?.messageId).toBe(mail.messageId);
    expect(await sender.verify(signal)).toEqual({ ok: true });
  });

  it("adds no header from a subject", async () => {
    await aSender().send({ ...mail, subject: "Burn\r\nBcc: evil@example.com\r\n\r\nbody" }, signal);
    const [got] = await sink.received(1);
    expect(got?.headers.has("bcc")).toBe(false);
    expect(got?.headerLines.map((line) => line.key)).not.toContain("bcc");
    expect(got?.text?.trim()).toBe("plain");
  });

  it.each([
    [["a@x.example, b@y.example"]],
    [['"evil@a x"@internal']],
    [["group: a@x.example;"]],
    [["<a@x.example>"]],
    [["a@x.example\r\nRCPT TO:<b@y.example>"]],
    [["a".repeat(10_000)]],
    [[""]],
    [[]],
  ])("refuses the recipients %j for good", async (to) => {
    expect(await aSender().send({ ...mail, to }, signal)).toMatchObject({ kind: "failed", retry: false });
    expect(sink.mails).toEqual([]);
  });
});

describe("a mail server that does not", () => {
  it.each([
    [451, true],
    [421, true],
    [550, false],
    [552, false],
  ])("answering %i is worth a retry: %s", async (code, retry) => {
    sink.refuse(code);
    expect(await aSender().send(mail, signal)).toMatchObject({ kind: "failed", retry, error: expect.stringContaining(String(code)) });
  });

  it("is worth a retry when it is not there", async () => {
    expect(await aSender("smtp://127.0.0.1:1").send(mail, signal)).toEqual({ kind: "failed", retry: true, error: "ESOCKET" });
    expect(await aSender("smtp://127.0.0.1:1").verify(signal)).toMatchObject({ ok: false });
  });

  it("is worth a retry when credentials are wrong, and never tells them", async () => {
    const strict = new SMTPServer({
      allowInsecureAuth: true,
      hideSTARTTLS: true,
      onAuth: (_auth, _session, callback) => callback(new Error("no")),
    });
    const port = await listen(strict);
    const delivery = await aSender(`smtp://user:s3cret@127.0.0.1:${port}`).send(mail, signal);
    expect(delivery).toMatchObject({ kind: "failed", retry: true, error: expect.stringContaining("EAUTH") });
    expect(JSON.stringify(delivery)).not.toContain("s3cret");
  });

  async function startTrickling(): Promise<{ readonly port: number; readonly gone: Promise<void> }> {
    const trickling = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.write("220 hello\r\n");
      socket.once("data", () => {
        const timer = setInterval(() => socket.write("250-and more\r\n"), 20);
        socket.on("close", () => clearInterval(timer));
      });
    });
    await new Promise<void>((resolve) => {
      trickling.listen(0, "127.0.0.1", resolve);
    });
    releases.push(async () => void trickling.close());
    const gone = new Promise<void>((resolve) => {
      trickling.on("connection", (socket) => socket.on("close", () => resolve()));
    });
    const address = trickling.address();
    return { port: address !== null && typeof address === "object" ? address.port : 0, gone };
  }

  it("is worth a retry when it is never silent and never done, once the delivery is given up", async () => {
    const { port, gone } = await startTrickling();
    expect(await aSender(`smtp://127.0.0.1:${port}`).send(mail, AbortSignal.timeout(1500))).toMatchObject({ kind: "failed", retry: true });
    await gone;
  });

  it("is not waited for by doctor when it is never silent and never done", async () => {
    const { port, gone } = await startTrickling();
    expect(await aSender(`smtp://127.0.0.1:${port}`).verify(AbortSignal.timeout(1500))).toEqual({
      ok: false,
      error: "it answers, and does not come to an end",
    });
    await gone;
  });

  it("refuses one recipient and takes the other", async () => {
    const picky = new SMTPServer({
      authOptional: true,
      disabledCommands: ["STARTTLS", "AUTH"],
      onRcptTo: (rcpt, _session, callback) =>
        rcpt.address.startsWith("gone") ? callback(Object.assign(new Error("no"), { responseCode: 550 })) : callback(),
      onData: (stream, _session, callback) => {
        stream.resume();
        stream.on("end", () => callback());
      },
    });
    const port = await listen(picky);
    const sender = aSender(`smtp://127.0.0.1:${port}`);
    expect(await sender.send({ ...mail, to: ["team@example.org", "gone@example.org"] }, signal)).toEqual({
      kind: "sent",
      refused: ["gone@example.org"],
    });
    expect(await sender.send({ ...mail, to: ["gone@example.org"] }, signal)).toMatchObject({ kind: "failed", retry: false });
  });
});
