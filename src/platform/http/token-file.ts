import { timingSafeEqual } from "node:crypto";
import { chmod, mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { z } from "zod";
import type { Clock, Instant } from "../../core/clock.ts";
import { sha256 } from "../../core/json.ts";
import type { RandomSource } from "../../core/random.ts";
import { type Caller, type Role, roles } from "../../core/role.ts";
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
  /** False when there is no such name. */
  revoke(name: string): Promise<boolean>;
  /** Makes the first admin token and writes it in plain text to `path` (0600); undefined when there are tokens already. */
  createFirstAdmin(path: string): Promise<string | undefined>;
}

/** What a token file works with. */
export interface TokenFileDeps {
  readonly clock: Pick<Clock, "now">;
  readonly random: RandomSource;
}

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
 * Verification rejects when the file exists and cannot be read as ours: nobody is let in by a broken file.
 */
export function createTokenFile(path: string, { clock, random }: TokenFileDeps): TokenFile {
  const listeners = new Set<() => void>();
  let cached: { readonly stamp: string | undefined; readonly contents: Contents } | undefined;

  async function read(): Promise<Contents> {
    const stamp = await stampOf(path);
    const known = cached;
    if (known !== undefined && known.stamp === stamp) return known.contents;
    cached = { stamp, contents: stamp === undefined ? { version: 1, tokens: [] } : parseContents(await readFile(path, "utf8"), path) };
    const { contents } = cached;
    if (known !== undefined) for (const listener of listeners) listener();
    return contents;
  }

  async function add(contents: Contents, name: string, role: Role): Promise<string> {
    const token = `rbd_${random.token()}`;
    const added = { name, role, sha256: sha256(token), createdAt: clock.now() };
    await writePrivate(path, `${JSON.stringify({ ...contents, tokens: [...contents.tokens, added] }, null, 2)}\n`, random);
    return token;
  }

  return {
    async verify(token): Promise<Caller | undefined> {
      const given = Buffer.from(sha256(token), "hex");
      const { tokens } = await read();
      const matches = tokens.filter((stored) => timingSafeEqual(Buffer.from(stored.sha256, "hex"), given));
      return matches[0] === undefined ? undefined : { name: matches[0].name, role: matches[0].role };
    },
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
      const contents = await read();
      return contents.tokens.some((stored) => stored.name === name) ? undefined : add(contents, name, role);
    },
    async revoke(name) {
      const contents = await read();
      const tokens = contents.tokens.filter((stored) => stored.name !== name);
      if (tokens.length === contents.tokens.length) return false;
      await writePrivate(path, `${JSON.stringify({ ...contents, tokens }, null, 2)}\n`, random);
      return true;
    },
    async createFirstAdmin(plainPath) {
      const contents = await read();
      if (contents.tokens.length > 0) return undefined;
      await writePrivate(plainPath, `${await add(contents, "first-admin", "admin")}\n`, random);
      return plainPath;
    },
  };
}

function parseContents(text: string, path: string): Contents {
  try {
    return contentsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(`${path} is no token file of runbookd; move it away and create tokens again.`, { cause });
  }
}

async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { ino, mtimeMs, size } = await stat(path);
    return `${ino}:${mtimeMs}:${size}`;
  } catch (thrown) {
    // Not instanceof: a test runner gives errors of the file system a class of its own.
    if (typeof thrown === "object" && thrown !== null && "code" in thrown && thrown.code === "ENOENT") return undefined;
    throw thrown;
  }
}

/** A reader sees the old file or the new one; a crash leaves the old one. */
async function writePrivate(path: string, text: string, random: RandomSource): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}.${random.bytes(4).toString("hex")}`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(temporary, 0o600);
  await rename(temporary, path);
}
