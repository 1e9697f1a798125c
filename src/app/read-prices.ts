import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { decodeUtf8 } from "../core/decode-utf8.ts";
import { createPriceTable, type PriceTable, priceTableSchema } from "../llm/usage/price-table.ts";
import { shippedPrices } from "../llm/usage/prices.ts";
import type { Config } from "../platform/config/config.ts";

/** The shipped prices or the table that replaces them, with the overlay before them. Throws when a file cannot be read or has a wrong row. */
export function readPrices(
  { priceTable, priceOverlay }: Pick<Config, "priceTable" | "priceOverlay">,
  workingDirectory: string,
): PriceTable {
  const read = (path: string) => priceTableSchema.parse(JSON.parse(readText(resolve(workingDirectory, path), path)));
  return createPriceTable(
    priceTable === undefined ? shippedPrices : read(priceTable),
    priceOverlay === undefined ? [] : read(priceOverlay),
  );
}

function readText(path: string, shown: string): string {
  const decoded = decodeUtf8(readFileSync(path));
  if (!decoded.ok) throw new Error(`${shown}:${decoded.line}:${decoded.column}: ${decoded.message}`);
  return decoded.text;
}
