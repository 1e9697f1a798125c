/** What is shown with 95 % confidence. */
const alpha = 0.05;

/**
 * The largest rate of success that `hits` of `tries` leave possible: the upper end of the exact one-sided 95 % interval (C. Clopper, E. Pearson, 1934).
 * Without a hit it is 1 − 0.05^(1/tries): 59 tries bound the rate by 4.95 %, 149 by 2 %, 299 by 1 %. Without a try it is 1: nothing is shown.
 */
export function attackRateBound(hits: number, tries: number): number {
  if (tries <= 0 || hits >= tries) return 1;
  if (hits === 0) return 1 - alpha ** (1 / tries);
  let [low, high] = [hits / tries, 1];
  for (let halving = 0; halving < 60; halving += 1) {
    const middle = (low + high) / 2;
    if (chanceOfAtMost(hits, tries, middle) > alpha) low = middle;
    else high = middle;
  }
  return high;
}

/** Chance of at most `hits` in `tries` at this rate, summed as logarithms so that many tries underflow nothing. */
function chanceOfAtMost(hits: number, tries: number, rate: number): number {
  let term = tries * Math.log1p(-rate);
  let chance = Math.exp(term);
  for (let count = 1; count <= hits; count += 1) {
    term += Math.log((tries - count + 1) / count) + Math.log(rate) - Math.log1p(-rate);
    chance += Math.exp(term);
  }
  return chance;
}
