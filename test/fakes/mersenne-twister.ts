/**
 * Draws of Python's `random` module. The hit ratios and costs that `cache-replay.test.ts` expects were computed by a program in Python over the workload
 * that it drew; the same workload needs the same draws. Everything else draws with `createRandom`.
 */
export interface PythonRandom {
  /** In [0, 1), 53 bits. */
  random(): number;
  /** Exponential with rate `rate`. */
  exponential(rate: number): number;
  /** Normal, two draws at a time. */
  gauss(mean: number, deviation: number): number;
  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number;
  /** One of `items`, by weight. */
  choose<Item>(items: readonly Item[], weights: readonly number[]): Item;
}

const size = 624;

/** MT19937 (Matsumoto and Nishimura, 1998) seeded as CPython seeds it with a small whole number. */
export function createPythonRandom(seed: number): PythonRandom {
  const state = initByArray([seed >>> 0]);
  let index = size;
  let spare: number | undefined;

  const next32 = (): number => {
    if (index >= size) {
      for (let at = 0; at < size; at += 1) {
        const mixed = (word(state, at) & 0x80000000) | (word(state, at + 1) & 0x7fffffff);
        state[at] = word(state, at + 397) ^ (mixed >>> 1) ^ ((mixed & 1) === 0 ? 0 : 0x9908b0df);
      }
      index = 0;
    }
    let value = word(state, index);
    index += 1;
    value ^= value >>> 11;
    value ^= (value << 7) & 0x9d2c5680;
    value ^= (value << 15) & 0xefc60000;
    return (value ^ (value >>> 18)) >>> 0;
  };
  const random = (): number => ((next32() >>> 5) * 67_108_864 + (next32() >>> 6)) / 9_007_199_254_740_992;

  return {
    random,
    exponential: (rate) => -Math.log(1 - random()) / rate,
    gauss(mean, deviation) {
      if (spare !== undefined) {
        const value = spare;
        spare = undefined;
        return mean + value * deviation;
      }
      const angle = random() * 2 * Math.PI;
      const radius = Math.sqrt(-2 * Math.log(1 - random()));
      spare = Math.sin(angle) * radius;
      return mean + Math.cos(angle) * radius * deviation;
    },
    integer(low, high) {
      const count = high - low + 1;
      const bits = 32 - Math.clz32(count);
      let drawn = next32() >>> (32 - bits);
      while (drawn >= count) drawn = next32() >>> (32 - bits);
      return low + drawn;
    },
    choose(items, weights) {
      const sums = weights.map((_, at) => weights.slice(0, at + 1).reduce((sum, weight) => sum + weight, 0));
      const drawn = random() * (sums.at(-1) ?? 0);
      const at = sums.findIndex((sum) => drawn < sum);
      const item = items[at < 0 ? items.length - 1 : at];
      if (item === undefined) throw new Error("there is nothing to choose from");
      return item;
    },
  };
}

function word(state: Uint32Array, index: number): number {
  return state[index % size] ?? 0;
}

function initByArray(key: readonly number[]): Uint32Array {
  const state = new Uint32Array(size);
  state[0] = 19_650_218;
  for (let at = 1; at < size; at += 1) state[at] = Math.imul(1_812_433_253, word(state, at - 1) ^ (word(state, at - 1) >>> 30)) + at;
  let at = 1;
  for (let round = 0; round < Math.max(size, key.length); round += 1) {
    const before = word(state, at - 1);
    state[at] = (word(state, at) ^ Math.imul(before ^ (before >>> 30), 1_664_525)) + (key[round % key.length] ?? 0) + (round % key.length);
    at += 1;
    if (at >= size) {
      state[0] = word(state, size - 1);
      at = 1;
    }
  }
  for (let round = 0; round < size - 1; round += 1) {
    const before = word(state, at - 1);
    state[at] = (word(state, at) ^ Math.imul(before ^ (before >>> 30), 1_566_083_941)) - at;
    at += 1;
    if (at >= size) {
      state[0] = word(state, size - 1);
      at = 1;
    }
  }
  state[0] = 0x80000000;
  return state;
}
