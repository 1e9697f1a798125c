import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { Redis } from "ioredis";
import { z } from "zod";
import { serveLoopback } from "../../demo/simulators/serve-loopback.ts";
import { laneOf, mailLane, messageIdOf } from "../../src/core/outbox.ts";
import { startSmtpSink } from "../../test/servers/smtp-sink.ts";
import type { NoticeOutcome } from "./history.ts";

/** A mail server that can trickle, and a webhook that takes what people are told. */
export interface NotifiedPeople extends AsyncDisposable {
  readonly smtpUrl: string;
  readonly hookUrl: string;
  /** For `forMs` each new connection to the mail server gets a byte every now and then, and never its answer. False: it does so already. */
  trickle(forMs: number, when: "greeting" | "answer"): boolean;
  readonly trickles: readonly { readonly from: number; readonly to: number }[];
  /** Connections that got bytes without an answer. */
  trickled(): number;
  /** What became of each notification in the outbox of a Redis. */
  notices(redis: Redis): Promise<readonly NoticeOutcome[]>;
}

/** Less than the silence after which any client gives up. */
const byteEveryMs = 200;

const hookSchema = z.object({ id: z.string() });
const rowSchema = z.object({ key: z.string(), to: z.string(), target: z.string().optional(), putAt: z.number() });
const stateSchema = z.enum(["waiting", "sent", "gave_up"]);

/** Starts both on loopback. */
export async function startNotifiedPeople(): Promise<NotifiedPeople> {
  const sink = await startSmtpSink();
  const mailedAt = new Map<string, number>();
  const hookedAt = new Map<string, number>();
  const sockets = new Set<Socket>();
  const trickles: { from: number; to: number }[] = [];
  let mode: "greeting" | "answer" = "greeting";
  let trickled = 0;

  /** A reply of many lines that never comes to its last one. */
  const dribble = (socket: Socket, code: string): void => {
    trickled += 1;
    const text = `${code}-wait\r\n`;
    let at = 0;
    const timer = setInterval(() => socket.write(text[(at += 1) % text.length] ?? ""), byteEveryMs);
    socket.once("close", () => clearInterval(timer));
  };
  const isTrickling = (): boolean => (trickles.at(-1)?.to ?? 0) > Date.now();

  const front = createServer((client) => {
    sockets.add(client);
    client.on("error", () => undefined);
    client.once("close", () => sockets.delete(client));
    if (isTrickling() && mode === "greeting") {
      client.resume();
      dribble(client, "220");
      return;
    }
    const isCut = isTrickling();
    const server = connect(sink.port, "127.0.0.1");
    sockets.add(server);
    server.on("error", () => client.destroy());
    server.once("close", () => {
      sockets.delete(server);
      client.destroy();
    });
    client.once("close", () => server.destroy());
    let isMailSent = false;
    let isDribbling = false;
    client.on("data", (chunk) => {
      isMailSent ||= chunk.toString("latin1").endsWith("\r\n.\r\n");
      server.write(chunk);
    });
    server.on("data", (chunk) => {
      if (!isCut || !isMailSent) client.write(chunk);
      else if (!isDribbling) {
        isDribbling = true;
        dribble(client, "250");
      }
    });
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  const address = front.address();
  if (address === null || typeof address === "string") throw new Error("The mail server has no port.");

  const hook = await serveLoopback((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      const { id } = hookSchema.parse(JSON.parse(body));
      if (!hookedAt.has(id)) hookedAt.set(id, Date.now());
      response.writeHead(204).end();
    });
  });

  return {
    smtpUrl: `smtp://127.0.0.1:${address.port}`,
    hookUrl: `${hook.url}/hook`,
    trickles,
    trickled: () => trickled,
    trickle(forMs, when) {
      if (isTrickling()) return false;
      mode = when;
      trickles.push({ from: Date.now(), to: Date.now() + forMs });
      return true;
    },
    async notices(redis) {
      for (const { messageId } of sink.mails) if (messageId !== undefined && !mailedAt.has(messageId)) mailedAt.set(messageId, 0);
      const rows = await redis.keys("{rb}:outbox:row:*");
      return Promise.all(
        rows.map(async (name) => {
          const fields = await redis.hgetall(name);
          const row = rowSchema.parse(JSON.parse(fields["row"] ?? "null"));
          const lane = laneOf({ to: row.to, ...(row.target !== undefined && { target: row.target }) });
          const arrivedAt = lane === mailLane ? mailedAt.get(messageIdOf(row.key, "example.org")) : hookedAt.get(row.key);
          return { key: row.key, lane, state: stateSchema.parse(fields["state"]), putAt: row.putAt, arrivedAt };
        }),
      );
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      front.close();
      await Promise.all([sink[Symbol.asyncDispose](), hook[Symbol.asyncDispose]()]);
    },
  };
}
