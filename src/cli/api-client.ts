import { readFile } from "node:fs/promises";
import type { z } from "zod";
import { problemSchema } from "../../packages/sdk/src/wire/problems.ts";
import { tolerant } from "../../packages/sdk/src/wire/tolerant.ts";
import { oneLine } from "../core/one-line.ts";
import { adminTokenPath } from "../platform/config/data-folder.ts";
import { type CommandContext, type ExitCode, exitCodes, writeJson } from "./context.ts";
import { type CommandInvocation, flagOption, textOption } from "./define-command.ts";
import { readLocalSettings } from "./local-settings.ts";

/** The answer of a running runbookd. `problem` is its refusal (RFC 9457); `unreachable` means that nobody answered as runbookd does. */
export type ApiAnswer<Body> =
  | { readonly kind: "ok"; readonly body: Body }
  | {
      readonly kind: "problem";
      readonly status: number;
      readonly title: string;
      readonly detail: string;
      readonly issues: readonly string[];
    }
  | { readonly kind: "unreachable"; readonly message: string };

/** The HTTP API of one running runbookd. */
export interface ApiClient {
  get<Body>(path: string, shape: z.ZodType<Body>): Promise<ApiAnswer<Body>>;
  post<Body>(path: string, body: unknown, shape: z.ZodType<Body>): Promise<ApiAnswer<Body>>;
  patch<Body>(path: string, body: unknown, shape: z.ZodType<Body>): Promise<ApiAnswer<Body>>;
  put<Body>(path: string, body: unknown, shape: z.ZodType<Body>): Promise<ApiAnswer<Body>>;
  delete<Body>(path: string, shape: z.ZodType<Body>): Promise<ApiAnswer<Body>>;
}

const readProblem = tolerant(problemSchema.pick({ title: true, detail: true, issues: true }));

const requestTimeoutMs = 10_000;

/**
 * A client for `--url`, else RUNBOOKD_URL, else this machine at RUNBOOKD_PORT.
 * Its token is RUNBOOKD_TOKEN, else the admin token that `runbookd up` left in the data folder; the file's token is only sent to loopback.
 */
export async function createApiClient(invocation: CommandInvocation): Promise<ApiClient> {
  const { context } = invocation;
  const { base, token } = await addressedServer(invocation);
  return {
    get: (path, shape) => call(context, { base, token, method: "GET", path, shape }),
    post: (path, body, shape) => call(context, { base, token, method: "POST", path, body, shape }),
    patch: (path, body, shape) => call(context, { base, token, method: "PATCH", path, body, shape }),
    put: (path, body, shape) => call(context, { base, token, method: "PUT", path, body, shape }),
    delete: (path, shape) => call(context, { base, token, method: "DELETE", path, shape }),
  };
}

/** A running runbookd and the token for it. */
export interface AddressedServer {
  readonly base: string;
  readonly token: string | undefined;
}

/** The server and the token of {@link createApiClient}. */
export async function addressedServer(invocation: CommandInvocation): Promise<AddressedServer> {
  const { context } = invocation;
  const base = textOption(invocation, "url") ?? context.env["RUNBOOKD_URL"] ?? `http://127.0.0.1:${readLocalSettings(context).port}`;
  return { base, token: context.env["RUNBOOKD_TOKEN"] ?? (isLoopback(base) ? await readAdminToken(context) : undefined) };
}

interface Call<Body> {
  readonly base: string;
  readonly token: string | undefined;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly shape: z.ZodType<Body>;
}

async function call<Body>(context: CommandContext, { base, token, method, path, body, shape }: Call<Body>): Promise<ApiAnswer<Body>> {
  if (!URL.canParse(path, base)) return { kind: "unreachable", message: `${base} is no URL; accepted is e.g. http://127.0.0.1:9097` };
  const url = new URL(path, base);
  try {
    const response = await context.fetch(url, {
      method,
      redirect: "error",
      signal: AbortSignal.any([context.signal, context.clock.timeout(requestTimeoutMs)]),
      headers: {
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return readAnswer({ url, status: response.status, text: await response.text() }, shape);
  } catch (error) {
    return {
      kind: "unreachable",
      message: `No answer from ${url.origin}: ${describeFetchError(error)}. Is runbookd running there? Set --url or RUNBOOKD_URL.`,
    };
  }
}

interface ReceivedAnswer {
  readonly url: URL;
  readonly status: number;
  readonly text: string;
}

function readAnswer<Body>({ url, status, text }: ReceivedAnswer, shape: z.ZodType<Body>): ApiAnswer<Body> {
  const body = parseJson(text);
  if (status >= 200 && status < 300) {
    const parsed = tolerant(shape).safeParse(body);
    if (parsed.success) return { kind: "ok", body: parsed.data };
    return {
      kind: "unreachable",
      message: `${url.href} answered ${status} with a body that is not runbookd's (${parsed.error.issues[0]?.message ?? "unreadable"}).`,
    };
  }
  const problem = readProblem.safeParse(body);
  return {
    kind: "problem",
    status,
    title: problem.success ? problem.data.title : `HTTP ${status}`,
    detail: problem.success ? problem.data.detail : "",
    issues: problem.success ? (problem.data.issues ?? []) : [],
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function describeFetchError(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  const cause = error.cause instanceof Error ? error.cause : undefined;
  return oneLine(cause === undefined ? error.message : cause.message || error.message);
}

function isLoopback(base: string): boolean {
  if (!URL.canParse(base)) return false;
  const { hostname } = new URL(base);
  return hostname === "127.0.0.1" || hostname === "localhost" || hostname === "[::1]";
}

async function readAdminToken(context: CommandContext): Promise<string | undefined> {
  try {
    const text = await readFile(adminTokenPath(readLocalSettings(context).dataFolder), "utf8");
    return text.trim() === "" ? undefined : text.trim();
  } catch {
    return undefined;
  }
}

/** Prints a refusal or a silence and answers the exit code 1. */
export function reportFailure(invocation: CommandInvocation, answer: Exclude<ApiAnswer<never>, { kind: "ok" }>): ExitCode {
  const { context } = invocation;
  if (flagOption(invocation, "json")) {
    writeJson(context, { error: answer });
  } else if (answer.kind === "unreachable") {
    context.warn(`${answer.message}\n`);
  } else {
    const hint = answer.status === 401 ? " Set RUNBOOKD_TOKEN to a token that `runbookd token create` printed." : "";
    context.warn(
      `${oneLine(answer.title)} (${answer.status})${answer.detail === "" ? "" : `: ${oneLine(answer.detail)}`}${hint}\n${answer.issues.map((issue) => `  ${oneLine(issue)}\n`).join("")}`,
    );
  }
  return exitCodes.no;
}
