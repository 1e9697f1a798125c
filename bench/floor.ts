import { connect } from "node:net";
import { type Job, Queue, Worker } from "bullmq";
import express from "express";
import { Redis } from "ioredis";
import { z } from "zod";

/*
 * The floor: the least that a durable five-step run costs with the same parts (express, zod, BullMQ, one fenced script call per step).
 * It has no matching, no guardrails, no journal, no verification. Arguments: redis socket, port, observer socket, steps, concurrency.
 */

const checkpoint = `
if redis.call('GET', KEYS[3]) ~= ARGV[4] then return -1 end
redis.call('PEXPIRE', KEYS[3], 30000)
redis.call('HSET', KEYS[1], 'cursor', ARGV[1], 's' .. ARGV[1], ARGV[2])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', '10000', '*', 'run', ARGV[3], 'step', ARGV[1], 'r', ARGV[2])
return tonumber(ARGV[1])`;

const labels = z.record(z.string(), z.string());
const instant = z.iso.datetime({ offset: true });
const webhook = z.object({
  version: z.literal("4"),
  groupKey: z.string(),
  truncatedAlerts: z.number().int().default(0),
  status: z.enum(["firing", "resolved"]),
  receiver: z.string(),
  groupLabels: labels,
  commonLabels: labels,
  commonAnnotations: labels,
  externalURL: z.string(),
  alerts: z.array(
    z.object({
      status: z.enum(["firing", "resolved"]),
      labels,
      annotations: labels,
      startsAt: instant,
      endsAt: instant,
      generatorURL: z.string(),
      fingerprint: z.string().min(1),
    }),
  ),
});

interface RunData {
  readonly id: string;
  readonly alert: z.infer<typeof webhook>["alerts"][number];
}

async function main([socketPath = "", port = "", observerPath = "", steps = "5", concurrency = "50"]: readonly string[]): Promise<void> {
  const connectRedis = (): Redis => new Redis({ path: socketPath, replyMapping: "legacy", maxRetriesPerRequest: null });
  const observer = connect(observerPath);
  const observe = (what: "first" | "done", id: string): void => void observer.write(`${what} ${id} ${process.hrtime.bigint()}\n`);

  const queue = new Queue<RunData>("runs", { connection: connectRedis() });
  const options = { attempts: 5, backoff: { type: "exponential", delay: 1000 }, removeOnComplete: { age: 3600, count: 1000 } };
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use(express.json({ limit: "16mb" }));
  const enqueue = async (alerts: z.infer<typeof webhook>["alerts"]): Promise<object> => {
    const jobs = alerts.map((alert) => ({
      name: "run",
      data: { id: alert.fingerprint, alert },
      opts: { ...options, jobId: `r-${alert.fingerprint}` },
    }));
    const [only] = jobs;
    await (jobs.length === 1 && only !== undefined ? queue.add(only.name, only.data, only.opts) : queue.addBulk(jobs));
    return { decisions: jobs.map((job) => ({ fingerprint: job.data.id, decision: "enqueued" })) };
  };
  app.post("/webhooks/alertmanager", (request, response, next) => {
    const parsed = webhook.safeParse(request.body);
    if (parsed.success) enqueue(parsed.data.alerts).then((body) => response.status(202).json(body), next);
    else response.sendStatus(400);
  });

  const redis = connectRedis();
  const sha = String(await redis.script("LOAD", checkpoint));
  const count = Number(steps);
  const perform = async (job: Job<RunData>, token?: string): Promise<void> => {
    const { id } = job.data;
    const done = job.attemptsStarted > 1 ? Number((await redis.hget(`run:${id}`, "cursor")) ?? 0) : 0;
    for (let step = done + 1; step <= count; step += 1) {
      const result = JSON.stringify({ step, ok: true });
      const reply = await redis.evalsha(sha, 3, `run:${id}`, "events", `bull:runs:${job.id}:lock`, step, result, id, token ?? "");
      if (reply === -1) throw new Error("the lock was lost");
      if (step === 1) observe("first", id);
    }
  };
  const worker = new Worker<RunData>("runs", perform, {
    connection: connectRedis(),
    concurrency: Number(concurrency),
    removeOnComplete: { count: 1000 },
    autorun: false,
  });
  worker.on("completed", (job) => observe("done", job.data.id));
  worker.on("error", (error) => process.stderr.write(`${error.message}\n`));
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
  app.listen(Number(port), "127.0.0.1", () => process.stdout.write("ready\n"));
  await worker.run();
}

await main(process.argv.slice(2));
