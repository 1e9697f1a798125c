import { afterAll, beforeAll, expect, it } from "@jest/globals";
import type { Redis } from "ioredis";
import { createRecipients } from "../src/actions/recipients.ts";
import { createSmtpSender } from "../src/adapters/smtp/create-smtp-sender.ts";
import { createSystemClock } from "../src/core/clock.ts";
import { connectRedis } from "../src/redis/connection.ts";
import { createOutbox } from "../src/redis/outbox.ts";
import { createComposer } from "../src/reports/create-composer.ts";
import { aCostRun } from "../src/testing/a-cost-run.ts";
import { aBudgetState, createFakeBudgetControl } from "../src/testing/fake-budget-control.ts";
import { startRedisServer, type RedisServer } from "../src/testing/redis-server.ts";
import { startSmtpSink, type SmtpSink } from "../src/testing/smtp-sink.ts";
import { startReportWorker } from "./report.ts";

let server: RedisServer;
let redis: Redis;
let sink: SmtpSink;

beforeAll(async () => {
  server = await startRedisServer();
  redis = connectRedis({ socketPath: server.socketPath }, "worker");
  sink = await startSmtpSink();
});

afterAll(async () => {
  redis.disconnect();
  await sink[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

it("mails the review of a run, once, after a mail server that was away has come back", async () => {
  const clock = createSystemClock();
  const outbox = createOutbox(redis);
  const run = aCostRun();
  const told: string[] = [];
  const worker = startReportWorker(
    {
      outbox,
      sender: createSmtpSender({ url: sink.url, from: "runbookd@example.org" }),
      composer: createComposer({ runs: { get: async () => run }, budgets: createFakeBudgetControl(aBudgetState("checkout")) }),
      recipients: createRecipients({ groups: { default: ["team@example.org"] }, from: "runbookd@example.org" }),
      clock,
      log: {
        sent: () => told.push("sent"),
        refusedRecipients: () => undefined,
        failed: (_row, error) => told.push(error),
        gaveUp: (_row, error) => told.push(error),
        defect: (error) => told.push(String(error)),
      },
    },
    { everyMs: 20, drain: new AbortController().signal, patience: { firstMs: 50, longestMs: 100, giveUpAfterMs: 60_000 } },
  );
  sink.refuse(451);
  const row = { key: "review:run_01JH", to: "default", content: { kind: "review", runId: "run_01JH" }, putAt: clock.now() } as const;
  await outbox.put(row);
  while (told.length < 2) await clock.sleep(10);
  sink.refuse(undefined);
  const [mail] = await sink.received(1);
  await outbox.put(row);
  await worker.close();
  expect(mail).toMatchObject({
    subject: "Review: cost-incident-response, budget/checkout: succeeded",
    from: { text: '"runbookd" <runbookd@example.org>' },
  });
  expect(mail?.text).toContain("Outcome: succeeded.");
  expect(mail?.html).toContain("<svg");
  expect(sink.mails).toHaveLength(1);
  expect(await outbox.find(row.key)).toMatchObject({ state: "sent", messageId: mail?.messageId });
  expect(await outbox.status()).toEqual({ waiting: 0, gaveUp: 0 });
});
