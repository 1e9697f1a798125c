import type { IncomingHttpHeaders } from "node:http";
import type { z } from "zod";
import type { ProblemName } from "../../../packages/sdk/src/wire/problems.ts";
import type { BodyOptions, JsonBody } from "./json-body.ts";
import type { HttpResponse } from "./route.ts";
import type { BodyVerifier, VerifiedBody, VerifiedLimits } from "./verified-body.ts";

/** A file as it is. */
export interface Content {
  readonly kind: "content";
  /** Media type without its charset, which is UTF-8. */
  readonly type: string;
  readonly body: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What an endpoint is given. Nothing in it has been verified. */
export interface EndpointRequest {
  readonly headers: IncomingHttpHeaders;
  /** Reads the body as one JSON document of at most `limitBytes`. Call it once at most. */
  readJson(limitBytes: number, options?: BodyOptions): Promise<JsonBody>;
  /** In place of `readJson`: reads a body whose bytes prove who sent it. */
  readVerified(verifier: BodyVerifier, limits: VerifiedLimits): Promise<VerifiedBody>;
}

/** What an endpoint asks of its callers, as the description names it. */
export type EndpointSecurity = "webhookBearer" | "webhookBasic" | "langfuseSignature" | "githubSignature";

/** What an answer means; `schema` is that of a JSON body. */
export interface EndpointAnswer {
  readonly description: string;
  readonly schema?: z.ZodType;
}

/** What is served outside /api: webhooks, probes, pages. Each endpoint checks who calls it. */
export interface Endpoint {
  readonly method: "get" | "post";
  /** OpenAPI form, e.g. `/a/{id}`. */
  readonly path: string;
  readonly summary: string;
  /** Any one of these suffices; none: everybody is answered. */
  readonly security: readonly EndpointSecurity[];
  /** JSON body; absent when none is read. */
  readonly body?: z.ZodType;
  /** By status, for the description. */
  readonly answers: Readonly<Record<number, EndpointAnswer>>;
  readonly problems: readonly ProblemName[];
  /** An exception is a defect, except `StoreUnavailable`, which becomes 503. */
  handle(request: EndpointRequest): Promise<HttpResponse | Content>;
  /** Called after each answer with its status and how long it took. Never throws. */
  answered?(status: number, seconds: number): void;
}
