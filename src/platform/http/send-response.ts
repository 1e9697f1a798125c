import { once } from "node:events";
import type { NextFunction, Request, Response } from "express";
import type { Clock } from "../../core/clock.ts";
import { isKept } from "./connection-limits.ts";
import type { Content } from "./endpoint.ts";
import type { HttpResponse, ServerSentEvent } from "./route.ts";

/** A comment line keeps proxies from closing a quiet stream. */
const heartbeatMs = 15_000;
/** A client that takes nothing for this long is cut off; it resumes by the id of the last event that it got. */
const drainMs = 30_000;

const securityHeaderValues = new Map([
  ["Cache-Control", "no-store"],
  ["Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Referrer-Policy", "no-referrer"],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
]);

/** No answer is cached, sniffed, framed or run as a page. */
export function securityHeaders(_request: Request, response: Response, next: NextFunction): void {
  response.setHeaders(securityHeaderValues);
  next();
}

/** Puts a complete answer on the wire. After a stream has begun, cutting the connection is the only way left to say that it broke. */
export function sendResponse(response: Response, result: HttpResponse | Content): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { status, type, body } = bytesOf(result);
  // Who shows no token gets no connection to keep: idle ones are limited in number.
  if (!isKept(response.req.socket)) response.setHeader("Connection", "close");
  // What Express's own `send` does beyond this (ETag, freshness, content negotiation) is all switched off here, and costs.
  response.writeHead(status, { ...result.headers, "Content-Type": `${type}; charset=utf-8`, "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

function bytesOf(result: HttpResponse | Content): { readonly status: number; readonly type: string; readonly body: string | Buffer } {
  switch (result.kind) {
    case "json":
      return { status: result.status, type: "application/json", body: JSON.stringify(result.body) };
    case "problem":
      return { status: result.problem.status, type: "application/problem+json", body: JSON.stringify(result.problem) };
    case "content":
      return { status: 200, type: result.type, body: result.body };
  }
}

/** What ends a stream before its events do. */
export interface StreamEnd {
  readonly clock: Clock;
  /** Aborted when the client is gone, may no longer read this, or the process shuts down. */
  readonly signal: AbortSignal;
  /** Aborts `signal` when the client may no longer read this; called before each event and with each heartbeat. */
  readonly recheck: () => Promise<void>;
}

/** Streams events until they end or `signal` is aborted; a failure of the source rejects. */
export async function sendEvents(response: Response, events: AsyncIterable<ServerSentEvent>, end: StreamEnd): Promise<void> {
  const { signal } = end;
  response.status(200).set({ "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no" });
  response.flushHeaders();
  const ended = new AbortController();
  const beating = sendHeartbeats(response, end, AbortSignal.any([signal, ended.signal]));
  try {
    for await (const { id, event, data } of events) {
      await end.recheck();
      if (signal.aborted) break;
      const isFull = !response.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      if (isFull && !(await hasDrained(response, end.clock, signal))) return void response.destroy();
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    ended.abort();
    await beating;
  }
  response.end();
}

async function hasDrained(response: Response, clock: Pick<Clock, "sleep">, signal: AbortSignal): Promise<boolean> {
  const settled = new AbortController();
  const either = AbortSignal.any([signal, settled.signal]);
  const late = clock.sleep(drainMs, either).then(() => false);
  late.catch(() => undefined);
  try {
    return await Promise.race([once(response, "drain", { signal: either }).then(() => true), late]);
  } finally {
    settled.abort();
  }
}

async function sendHeartbeats(response: Response, { clock, recheck }: StreamEnd, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(heartbeatMs, signal);
    } catch {
      return;
    }
    await recheck();
    if (signal.aborted) return;
    if (!response.writableNeedDrain) response.write(": keep-alive\n\n");
  }
}
