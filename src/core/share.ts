/** A share of 0 to 1 for people, e.g. "12.5 %". With `decimals` exactly that many ("40.0 %"), else one where it is not zero ("40 %"). */
export function formatShare(share: number, { decimals }: { readonly decimals?: number } = {}): string {
  return `${decimals === undefined ? Math.round(share * 1000) / 10 : (share * 100).toFixed(decimals)} %`;
}
