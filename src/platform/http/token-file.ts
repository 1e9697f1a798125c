import { timingSafeEqual } from "node:crypto";
import { chmod, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import type { Instant } from "../../core/clock.ts";
import { decodeUtf8 } from "../../core/decode-utf8.ts";
import { sha256 } from "../../core/json.ts";
import type { RandomSource } from "../../core/random.ts";
import { type Caller, type Role, roles } from "../../core/role.ts";
import { type ClaimDeps, type ClaimedPath, withClaimedPath } from "../claim-path.ts";
import { readRegularFile } from "../read-regular-file.ts";
import type { TokenVerifier } from "./token-verifier.ts";

/** What a list of tokens shows: never the token, of which only a hash is kept. */
export interface TokenInfo {
  readonly name: string;
  readonly role: Role;
  readonly createdAt: Instant;
}

/** Tokens for people and for the workload, in one file that a server and the command line share. */
export interface TokenFile extends TokenVerifier {
  list(): Promise<readonly TokenInfo[]>;
  /** The token in plain text, for the only time; undefined when the name is taken. */
  create(name: string, role: Role): Promise<string | undefined>;
  /** False when there is no such name. True only when the file was read again and no longer has it. */
  revoke(name: string): Promise<boolean>;
  /** Makes the first admin token and writes it in plain text to `path` (0600); undefined when there are tokens already. */
  createFirstAdmin(path: string): Promise<string | undefined>;
}

/** What a token file works with. */
export interface TokenFileDeps extends ClaimDeps {
  readonly random: RandomSource;
}

/** Longer than a lock of an owner that cannot be looked at is believed. */
const waitForLockMs = 15_000;
const maxFileBytes = 4 * 1024 * 1024;

/** What a token's name may be; it stands in journals and reports. */
export const tokenNamePattern = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;

const contentsSchema = z.object({
  version: z.literal(1),
  tokens: z.array(
    z.object({
      name: z.string().regex(tokenNamePattern),
      role: z.enum(roles),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
      createdAt: z.number(),
    }),
  ),
});

type Contents = z.output<typeof contentsSchema>;

/**
 * The file at `path`: SHA-256 of each token, mode 0600, replaced as a whole. It is read again when it has changed, so that a revoked token ends at once.
 * Changes are made one at a time across processes, under a lock file beside it. Verification rejects when the file exists and cannot be read as ours:
 * a broken file authorizes no one.
 */
export function createTokenFile(path: string, deps: TokenFileDeps): TokenFile {
  const { clock, random } = deps;
  const listeners = new Set<() => void>();
  let cached: { readonly stamp: string; readonly contents: Contents } | undefined;

  async function read(previousStamp = cached?.stamp): Promise<Contents> {
    const file = await readRegularFile(path, { maxBytes: maxFileBytes, previousStamp });
    const previous = cached;
    if (file.kind === "unchanged" && previous !== undefined) return previous.contents;
    if (file.kind === "refused" && file.reason !== "ENOENT") throw new Error(`${path} cannot be read (${file.reason}).`);
    const contents: Contents = file.kind === "read" ? parseContents(file.bytes, path) : { version: 1, tokens: [] };
    cached = file.kind === "read" ? { stamp: file.stamp, contents } : undefined;
    if (previous !== undefined && previous.stamp !== cached?.stamp) for (const listener of listeners) listener();
    return contents;
  }

  /** Everything that reads the file in order to write it. */
  const change = async <Value>(work: (contents: Contents, write: (tokens: Contents["tokens"]) => Promise<Contents>) => Promise<Value>) =>
    withClaimedPath({ path: `${path}.lock`, what: path, waitMs: waitForLockMs }, deps, async (lock) =>
      work(await readAnew(), async (tokens) => {
        await writePrivate(path, `${JSON.stringify({ version: 1, tokens }, null, 2)}\n`, { random, lock });
        return readAnew();
      }),
    );

  const readAnew = async () => read("");

  const describe = (name: string, role: Role) => {
    const token = `rbd_${random.token()}`;
    return { token, added: { name, role, sha256: sha256(token), createdAt: clock.now() } };
  };

  const confirm = (isDone: boolean, what: string): void => {
    if (!isDone) throw new Error(`${what} was written to ${path} and is not there; another program has changed the file. Try again.`);
  };

  const verifyHash = async (tokenSha256: string): Promise<Caller | undefined> => {
    const given = Buffer.from(tokenSha256, "hex");
    const { tokens } = await read();
    const matches = tokens.filter((stored) => timingSafeEqual(Buffer.from(stored.sha256, "hex"), given));
    return matches[0] === undefined ? undefined : { name: matches[0].name, role: matches[0].role };
  };

  return {
    verify: async (token) => verifyHash(sha256(token)),
    verifyHash,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async list() {
      const { tokens } = await read();
      return tokens.map(({ name, role, createdAt }) => ({ name, role, createdAt }));
    },
    async create(name, role) {
      if (!tokenNamePattern.test(name))
        throw new RangeError(`${JSON.stringify(name)} is no token name; accepted is ${tokenNamePattern.source}`);
      return change(async ({ tokens }, write) => {
        if (tokens.some((stored) => stored.name === name)) return undefined;
        const { token, added } = describe(name, role);
        const written = await write([...tokens, added]);
        confirm(
          written.tokens.some((stored) => stored.sha256 === added.sha256),
          `The token ${name}`,
        );
        return token;
      });
    },
    revoke: async (name) =>
      change(async ({ tokens }, write) => {
        const remaining = tokens.filter((stored) => stored.name !== name);
        if (remaining.length === tokens.length) return false;
        const written = await write(remaining);
        confirm(!written.tokens.some((stored) => stored.name === name), `The revocation of ${name}`);
        return true;
      }),
    async createFirstAdmin(plainPath) {
      // Where there are tokens nothing is written: the folder may be one that can only be read.
      if ((await read()).tokens.length > 0) return undefined;
      return change(async ({ tokens }, write) => {
        if (tokens.length > 0) return undefined;
        const { token, added } = describe("first-admin", "admin");
        // First the plain text: after a crash between the two the next start makes another one, and no admin is without a token.
        await writePrivate(plainPath, `${token}\n`, { random });
        await write([added]);
        return plainPath;
      });
    },
  };
}

function parseContents(bytes: Uint8Array, path: string): Contents {
  try {
    const decoded = decodeUtf8(bytes);
    if (!decoded.ok) throw new Error(decoded.message);
    return contentsSchema.parse(JSON.parse(decoded.text));
  } catch (cause) {
    throw new Error(`${path} is no token file of runbookd; move it away and create tokens again.`, { cause });
  }
}

/** A reader sees the old file or the new one; a crash leaves the old one. Rejects without a change when the lock was lost. */
async function writePrivate(
  path: string,
  text: string,
  { random, lock }: { readonly random: RandomSource; readonly lock?: ClaimedPath },
): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${random.bytes(8).toString("hex")}`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await chmod(temporary, 0o600);
    if (lock !== undefined && !(await lock.isHeld())) throw new Error(`The lock of ${path} was lost; nothing was changed, try again.`);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Until then a power failure may bring the old file back. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
