/** Money: an integer number of millionths of a US dollar. Prices are micro-USD per million tokens. */
export type MicroUsd = number;

/** 1 USD. */
export const oneUsd: MicroUsd = 1_000_000;

/** "$12.34", or four digits after the point below one cent; for people. */
export function formatUsd(amount: MicroUsd): string {
  const usd = amount / oneUsd;
  const digits = amount !== 0 && Math.abs(usd) < 0.1 ? 4 : 2;
  return `${usd < 0 ? "-" : ""}$${Math.abs(usd).toFixed(digits)}`;
}
