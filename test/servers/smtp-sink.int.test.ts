import { expect, it } from "@jest/globals";
import { createTransport } from "nodemailer";
import { startSmtpSink } from "./smtp-sink.ts";

const mail = { from: "a@x", to: "b@x", subject: "Привет", text: "body" };

it("keeps mails and refuses them on demand", async () => {
  await using sink = await startSmtpSink();
  const transport = createTransport(sink.url);
  await transport.sendMail(mail);
  const [first] = await sink.received(1);
  expect(first).toMatchObject({ subject: "Привет", text: "body\n" });
  sink.refuse(451);
  await expect(transport.sendMail(mail)).rejects.toMatchObject({ responseCode: 451 });
  sink.refuse(undefined);
  await transport.sendMail(mail);
  expect(await sink.received(2)).toHaveLength(2);
  await expect(sink.received(3, 50)).rejects.toThrow("2 of 3 mails");
  transport.close();
});
