import type { Redis } from "ioredis";
import type { AuditLog } from "../core/audit.ts";
import type { EventSink } from "../core/event.ts";
import type { WakeQueue } from "../core/wake-queue.ts";
import type { Endpoint } from "../platform/http/endpoint.ts";
import type { Route } from "../platform/http/route.ts";
import type { TokenVerifier } from "../platform/http/token-verifier.ts";
import type { DocumentTrees } from "../runbooks/document-trees.ts";
import type { ServerEvent } from "./product-event.ts";

/** What a slice adds to the server's HTTP application. */
export interface Registration {
  /** Under /api. */
  readonly routes?: readonly Route[];
  /** Outside /api. */
  readonly endpoints?: readonly Endpoint[];
}

/** What the slices of one server share. */
export interface ServerShared {
  readonly redis: Redis;
  /** Absolute path of the folder for tokens and what the server keeps outside Redis. */
  readonly dataFolder: string;
  readonly audit: AuditLog;
  readonly wakeQueue: WakeQueue;
  /** Whom the tokens of the API belong to. */
  readonly tokens: TokenVerifier;
  /** Documents as pages show them. */
  readonly trees: DocumentTrees;
  /** Receives what happens in the slices. */
  readonly publish: EventSink<ServerEvent>;
}
