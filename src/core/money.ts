/** Money: an integer number of millionths of a US dollar. Prices are micro-USD per million tokens. */
export type MicroUsd = number;

/** 1 USD. */
export const oneUsd: MicroUsd = 1_000_000;

/** "$12.34" for people, with four digits after the point below ten cents and six below a hundredth of one: what is not zero is never shown as zero. */
export function formatUsd(amount: MicroUsd): string {
  const usd = Math.round(amount) / oneUsd;
  const digits = usd === 0 || Math.abs(usd) >= 0.1 ? 2 : Math.abs(usd) >= 0.0001 ? 4 : 6;
  return `${usd < 0 ? "-" : ""}$${Math.abs(usd).toFixed(digits)}`;
}
