/** Most steps of one evaluation; a step takes less than 1 µs. */
const maxSteps = 200_000;

/** Most bytes of texts and lists that one evaluation makes. */
const maxBytes = 8 * 1024 * 1024;

/** Thrown inside an evaluation that costs too much. */
export class CostExceeded extends Error {}

interface Spending {
  steps: number;
  bytes: number;
  exceeded: CostExceeded | undefined;
}

/** A node of cel-js, as far as its cost depends on it. */
interface CelNode {
  readonly op: string;
  readonly args: unknown;
}

/** The part of cel-js's evaluator by which every node but the root is evaluated. */
export interface CelEvaluator {
  run(node: CelNode, context: unknown): unknown;
}

/** What reads the whole of its operands. */
const readers = new Set(["==", "!=", "in", "<", "<=", ">", ">=", "+", "call", "rcall"]);
/** What makes a new value. */
const makers = new Set(["+", "list", "map", "call", "rcall"]);
/** Calls that read no operand as a whole: loops pay for each turn. */
const lazyCalls = new Set([
  "all",
  "exists",
  "exists_one",
  "map",
  "filter",
  "bind",
  "has",
  "or",
  "orValue",
  "optMap",
  "optFlatMap",
  "hasValue",
]);
/** Calls whose time can be the product of both texts. */
const searches = new Set(["contains", "indexOf", "lastIndexOf", "split"]);
/** Steps of a call that asks for a time zone. */
const timeZoneSteps = 1000;

interface Frame {
  readonly node: CelNode;
  /** The name of the function that the node calls. */
  readonly call: string | undefined;
  /** Characters of the texts that were read, multiplied. */
  product: number;
}

let spending: Spending = createSpending();
let frame: Frame | undefined;

function createSpending(): Spending {
  return { steps: 0, bytes: 0, exceeded: undefined };
}

/** Runs an evaluation of this root, and throws {@link CostExceeded} when it takes more than its steps or bytes. Not reentrant. */
export function withinCost(root: CelNode, run: () => unknown): unknown {
  spending = createSpending();
  frame = createFrame(root);
  try {
    const value = run();
    chargeMade(value);
    // Throws here at the latest: logical operators and loops swallow errors of their operands.
    spend(deepSize(value) * 4);
    return value;
  } catch (thrown) {
    throw spending.exceeded ?? thrown;
  } finally {
    frame = undefined;
  }
}

/** Counts steps, and throws {@link CostExceeded} when there are too many. */
export function spend(steps: number, bytes = 0): void {
  spending.steps += steps;
  spending.bytes += bytes;
  if (spending.steps > maxSteps) spending.exceeded ??= new CostExceeded(`The expression takes more than ${maxSteps} steps`);
  else if (spending.bytes > maxBytes) spending.exceeded ??= new CostExceeded(`The expression makes more than ${maxBytes} bytes`);
  if (spending.exceeded !== undefined) throw spending.exceeded;
}

/** Makes an evaluator count what each node costs. */
export function meter(evaluator: CelEvaluator): void {
  const run = evaluator.run.bind(evaluator);
  evaluator.run = (node, context) => {
    spend(1);
    const parent = frame;
    const own = createFrame(node);
    frame = own;
    try {
      const value = run(node, context);
      if (makers.has(node.op)) chargeMade(value);
      if (parent !== undefined) chargeRead(parent, value);
      return value;
    } finally {
      frame = parent;
    }
  };
}

function createFrame(node: CelNode): Frame {
  const [name] = (node.op === "call" || node.op === "rcall") && Array.isArray(node.args) ? (node.args as readonly unknown[]) : [];
  const call = typeof name === "string" ? name : undefined;
  return { node, call, product: 1 };
}

function chargeMade(value: unknown): void {
  if (typeof value === "string") spend(value.length / 64, value.length * 2);
  else if (value instanceof Uint8Array) spend(value.length / 64, value.length);
  else if (Array.isArray(value)) spend(value.length / 8, value.length * 16);
  else if (typeof value === "object" && value !== null) spend(Object.keys(value).length / 4, Object.keys(value).length * 32);
}

/** What reading a value costs its reader; charged before the reader runs. */
function chargeRead(reader: Frame, value: unknown): void {
  if (!readers.has(reader.node.op) || (reader.call !== undefined && lazyCalls.has(reader.call))) return;
  spend(deepSize(value) / 4);
  if (reader.call === undefined || typeof value !== "string") return;
  if (reader.call.startsWith("get")) spend(timeZoneSteps);
  // Its pattern starts anew at every digit.
  if (reader.call === "duration") spend(value.length ** 2 / 16);
  if (!searches.has(reader.call)) return;
  reader.product *= Math.max(1, value.length);
  spend(reader.product / 256);
}

const sizes = new WeakMap<object, number>();

/** Steps of walking through a value; a part that is shared counts wherever it stands. */
function deepSize(value: unknown): number {
  if (typeof value === "string") return 1 + value.length / 16;
  if (typeof value !== "object" || value === null) return 1;
  const cachedSize = sizes.get(value);
  if (cachedSize !== undefined) return cachedSize;
  const size = partsOf(value).reduce((sum: number, part) => sum + deepSize(part), 1);
  sizes.set(value, size);
  return size;
}

function partsOf(value: object): readonly unknown[] {
  if (value instanceof Uint8Array) return [];
  if (Array.isArray(value)) return value as readonly unknown[];
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)].flat();
  return Object.entries(value).flat();
}
