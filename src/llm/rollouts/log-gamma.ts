// A simulation takes millions of these, and looking up a global costs much in a test runner's sandbox.
const { log, PI, sin } = Math;
const halfLogTwoPi = 0.5 * log(2 * PI);

const coefficients = [
  676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059, 12.507343278686905, -0.13857109526572012,
  9.9843695780195716e-6, 1.5056327351493116e-7,
];

/**
 * Natural logarithm of the gamma function for x > 0; its relative error is below 1e-13.
 * C. Lanczos, "A precision approximation of the gamma function", SIAM Journal on Numerical Analysis B 1 (1964), with g = 7 and nine terms.
 */
export function logGamma(x: number): number {
  if (x < 0.5) return log(PI / sin(PI * x)) - logGamma(1 - x);
  const shifted = x - 1;
  let sum = 0.99999999999980993;
  // An iterator would double the time.
  for (let index = 0; index < coefficients.length; index += 1) sum += (coefficients[index] ?? 0) / (shifted + index + 1);
  const base = shifted + 7.5;
  return halfLogTwoPi + (shifted + 0.5) * log(base) - base + log(sum);
}

/** Natural logarithm of the beta function for a, b > 0. */
export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}
