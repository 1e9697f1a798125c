import { ReplyError } from "ioredis";
import { StoreUnavailable } from "../../core/store-unavailable.ts";

/** Runs a call on Redis; what Redis or the connection refuses becomes StoreUnavailable, and nothing of the command (ioredis keeps its arguments) travels on. */
export async function available<Value>(call: () => Promise<Value>): Promise<Value> {
  try {
    return await call();
  } catch (error) {
    if (isConnectionError(error)) throw new StoreUnavailable(messageOf(error));
    if (!(error instanceof ReplyError)) throw error;
    // `ERR` is a fault in a script or a command of ours; every other word says that the server cannot do it now (OOM, READONLY, MISCONF, LOADING …).
    const message = messageOf(error);
    throw message.startsWith("ERR") ? new Error(message) : new StoreUnavailable(message);
  }
}

/** Names that ioredis and the socket use when the server cannot be asked. */
const connectionErrors =
  /^(?:MaxRetriesPerRequestError|AbortError)$|Connection is closed|Command timed out|isn't writeable|ECONN|EPIPE|ENOENT|ETIMEDOUT/;

function isConnectionError(error: unknown): boolean {
  return error instanceof Error && (connectionErrors.test(error.name) || connectionErrors.test(error.message));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 200) : "unknown";
}
