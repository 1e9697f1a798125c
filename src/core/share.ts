/** A share of 0 to 1 for people, e.g. "12.5 %" and "40 %". */
export function formatShare(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}
