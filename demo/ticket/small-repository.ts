import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** One change of one file that the ticket asks for. */
export interface Edit {
  readonly path: string;
  readonly content: string;
}

/** The ticket, as somebody wrote it. */
export const ticketText = {
  id: "SHOP-17",
  title: "Prices are added up without discount, tax and rounding",
  body: "A basket must be rounded to cents, discounted, taxed by country, and refuse what is no price. The tests in test/ say how.",
} as const;

const unfinished = (name: string) => `export function ${name}() {\n  throw new Error("not written yet");\n}\n`;

/** In the order in which they are made; each file builds on those before. */
export const edits: readonly Edit[] = [
  {
    path: "src/check.js",
    content: `/** A price in cents, or a TypeError. */
export function check(price) {
  if (!Number.isInteger(price) || price < 0) throw new TypeError(\`\${price} is no price in cents\`);
  return price;
}
`,
  },
  {
    path: "src/sum.js",
    content: `import { check } from "./check.js";

/** Cents of all lines. */
export function sum(lines) {
  return lines.reduce((total, { price, count }) => total + check(price) * count, 0);
}
`,
  },
  {
    path: "src/discount.js",
    content: `/** Ten percent off from 100.00 on. */
export function discount(cents) {
  return cents >= 10_000 ? Math.round(cents * 0.9) : cents;
}
`,
  },
  {
    path: "src/tax.js",
    content: `const rates = { DE: 0.19, FR: 0.2, CH: 0.081 };

/** Cents with the country's tax. */
export function tax(cents, country) {
  if (!Object.hasOwn(rates, country)) throw new RangeError(\`no rate for \${country}\`);
  return Math.round(cents * (1 + rates[country]));
}
`,
  },
  {
    path: "src/basket.js",
    content: `import { discount } from "./discount.js";
import { sum } from "./sum.js";
import { tax } from "./tax.js";

/** What a basket costs in the end, in cents. */
export function basket(lines, country) {
  return tax(discount(sum(lines)), country);
}
`,
  },
];

const test = `import assert from "node:assert/strict";
import { test } from "node:test";
import { basket } from "../src/basket.js";
import { check } from "../src/check.js";
import { discount } from "../src/discount.js";
import { sum } from "../src/sum.js";
import { tax } from "../src/tax.js";

test("a price is a whole number of cents", () => {
  assert.equal(check(1999), 1999);
  assert.throws(() => check(19.99), TypeError);
});

test("lines are added up by their count", () => {
  assert.equal(sum([{ price: 250, count: 3 }, { price: 1, count: 1 }]), 751);
});

test("ten percent are off from a hundred on", () => {
  assert.equal(discount(9999), 9999);
  assert.equal(discount(10_000), 9000);
});

test("tax is the country's", () => {
  assert.equal(tax(1000, "DE"), 1190);
  assert.throws(() => tax(1000, "XX"), RangeError);
});

test("a basket is added up, discounted and taxed, in this order", () => {
  assert.equal(basket([{ price: 5000, count: 2 }], "FR"), 10_800);
});
`;

const files: Readonly<Record<string, string>> = {
  "package.json": `${JSON.stringify({ name: "shop-prices", type: "module", private: true, scripts: { test: "node --test test/" } }, undefined, 2)}\n`,
  ".gitignore": "node_modules/\n*.log\n",
  "test/prices.test.js": test,
  ...Object.fromEntries(edits.map(({ path }) => [path, unfinished(/(\w+)\.js$/.exec(path)?.[1] ?? "")])),
};

/** Makes the repository with a bare origin beside it; answers the repository's folder. Its own tests fail. */
export async function makeSmallRepository(root: string, git: string): Promise<string> {
  const repository = join(root, "shop-prices");
  await mkdir(repository, { recursive: true });
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(repository, path)), { recursive: true });
    await writeFile(join(repository, path), content);
  }
  const call = async (cwd: string, ...args: readonly string[]) =>
    run(git, ["-c", "user.name=demo", "-c", "user.email=demo@demo.invalid", ...args], { cwd });
  await call(root, "init", "-q", "--bare", "-b", "main", "origin.git");
  await call(repository, "init", "-q", "-b", "main");
  await call(repository, "add", "-A");
  await call(repository, "commit", "-q", "-m", "Prices, with the tests of what is to come");
  await call(repository, "remote", "add", "origin", join(root, "origin.git"));
  await call(repository, "push", "-q", "origin", "main");
  return repository;
}
