import { randomBytes, randomUUID } from "node:crypto";

// Tests draw millions of numbers, and looking up a global costs much in a test runner's sandbox.
const { imul } = Math;

/** The only source of randomness for ids, tokens and jitter. Injected, so that a simulation can repeat a run. */
export interface RandomSource {
  /** `count` bytes that cannot be guessed. */
  bytes(count: number): Buffer;
  /** A UUID of version 4 (RFC 9562). */
  uuid(): string;
  /** A secret of 256 bits, as 43 characters of base64url. */
  token(): string;
  /** A number in [0, 1) for jitter, never for a secret. */
  fraction(): number;
}

/** The machine's own randomness. */
export function createSystemRandom(): RandomSource {
  return {
    bytes: (count) => randomBytes(count),
    uuid: () => randomUUID(),
    token: () => randomBytes(32).toString("base64url"),
    fraction: () => Math.random(),
  };
}

/** Numbers in [0, 1). */
export type Random = () => number;

/** 32-bit FNV-1a of a text's UTF-16 code units; http://www.isthe.com/chongo/tech/comp/fnv/ */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}

/** The same sequence for the same seed on every machine (the mulberry32 generator of Tommy Ettinger). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A factor around 1 whose logarithm is roughly normal with standard deviation `sigma` (sum of twelve uniforms). */
export function logNormalFactor(random: Random, sigma: number): number {
  let sum = -6;
  for (let draw = 0; draw < 12; draw += 1) sum += random();
  return Math.exp(sum * sigma);
}
