import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import { checkExpression } from "./check-expression.ts";
import { evaluate, resolvePromql, resolveTemplates, type Scope, stepsWithoutResult, truthOf } from "./expression.ts";

const scope: Scope = {
  alert: { labels: { budget: "checkout", n: "12" }, annotations: {}, status: "firing" },
  params: { budget: "checkout", count: 3, ratio: 0.5, big: 2 ** 60, list: ["a", "b"], nothing: null },
  steps: { look: { result: { count: 4 } }, "stop-all": { result: { running: 0 } } },
  result: { value: 1.5, series: [{ value: Number.NaN }], bad: Number.POSITIVE_INFINITY, running: 0 },
  before: { burn: 20, gone: null },
  now: { burn: 1.5, gone: null },
};

describe("evaluate", () => {
  it.each<[string, Json]>([
    ["params.count + 1", 4],
    ["params.count / 2", 1],
    ["params.ratio * 2.0", 1],
    ["params.ratio * 2", 1],
    ["now.burn < before.burn * 0.1", true],
    ["before.burn * 0.5", 10],
    ["result.running == 0", true],
    ["result.value < 2", true],
    ["params.big > 1", true],
    ["alert.labels.n == '12'", true],
    ['steps["stop-all"].result.running == 0 && steps.look.result.count == 4', true],
    ["params.list.exists(x, x == 'b')", true],
    ["has(params.nothing) ? 1 : 2", 2],
    ["has(now.gone)", false],
    ["steps.?other.result.count.orValue(params.count)", 3],
    ["steps.?look.result.?count.orValue(params.count)", 4],
    ["steps.?look.result.?size.orValue(params.count)", 3],
    ["{'a': [1, 2.5]}", { a: [1, 2.5] }],
    ["alert.labels.budget.matches('^check.*')", true],
  ])("%s is %j", (source, value) => {
    expect(evaluate(source, scope)).toEqual({ kind: "value", value });
  });

  it.each([
    ["a label that is not there", "alert.labels.team == 'x'"],
    ["NaN in a list", "result.series[0].value > 0.0"],
    ["infinity", "result.bad > 1"],
    ["null", "params.nothing == 1"],
    ["null against null", "params.nothing == null"],
    ["a metric that could not be seen", "now.gone < before.gone"],
    ["an index behind the end", "params.list[7] == 'a'"],
    ["a step that has not run", "steps.other.result.count > 1"],
    ["a whole name", "run.id == 'x'"],
    ["the prototype", "alert.constructor == 1"],
    ["the prototype of an object", "result.__proto__ == 1"],
    ["an inherited function", "alert.labels.toString == 'x'"],
  ])("%s is missing, and inconclusive", (_, source) => {
    const evaluation = evaluate(source, scope);
    expect(evaluation.kind).toBe("missing");
    expect(truthOf(evaluation)).toBe("inconclusive");
  });

  it.each([
    ["a text plus a number", "params.budget + 1"],
    ["a division by zero", "1 / 0"],
    ["an unknown name", "process.exit(0)"],
    ["no expression", "result.value <"],
    ["a computed pattern", "'a'.matches(params.budget)"],
    ["a pattern that looks ahead", "'a'.matches('(?=a)a')"],
    ["the name under which patterns are run, with a computed pattern", "'a'.matchesRe2(params.budget)"],
    ["a pattern for what is no text", "params.count.matches('3')"],
    ["three loops", "[1].all(a, [1].all(b, [1].all(c, true)))"],
    ["a value that is no data", "type(1)"],
    ["what may be absent, without saying what then", "steps.?look"],
    ["an integer that JSON cannot hold", "9007199254740993"],
    ["very long text", `'${"a".repeat(3000)}' == ''`],
    ["very deep text", `${"(".repeat(100)}1${")".repeat(100)}`],
  ])("%s is an error, and inconclusive", (_, source) => {
    const evaluation = evaluate(source, scope);
    expect(evaluation.kind).toBe("error");
    expect(truthOf(evaluation)).toBe("inconclusive");
  });

  describe("of a step that is over without a result", () => {
    const without: Scope = { params: { look: true }, steps: { look: { result: null }, other: { result: { count: 4, none: null } } } };

    it.each<[string, Json]>([
      ["has(steps.look.result)", false],
      ["has(steps.look.result.count)", false],
      ["has(steps.look.result.series.first.value)", false],
      ["!has(steps.look.result) && has(steps.other.result.count)", true],
      ["has(steps.look.result.count) ? steps.look.result.count : steps.other.result.count", 4],
      ["steps.look.result == null", true],
      ["steps.other.result == null", false],
      ["has(steps.other.result.none)", false],
      ["steps.look.result.?count.orValue(7)", 7],
      ["params.look || steps.look.result.count > 1", true],
      ["!params.look && steps.look.result.count > 1", false],
    ])("%s is %j", (source, value) => {
      expect(evaluate(source, without)).toEqual({ kind: "value", value });
    });

    it.each(["steps.look.result.count > 1", "steps.look.result.count != 1", "!(steps.look.result.count == 1)"])(
      "%s is missing, and named",
      (source) => {
        expect(evaluate(source, without)).toEqual({ kind: "missing", what: "`steps.look.result.count`" });
        expect(stepsWithoutResult(source, without)).toEqual(["look"]);
      },
    );

    it("counts each step once, and no other", () => {
      expect(stepsWithoutResult("has(steps.look.result) || steps.look.result.a + steps.other.result.count > 1", without)).toEqual(["look"]);
      expect(stepsWithoutResult("steps.gone.result.a == 1", without)).toEqual([]);
      expect(stepsWithoutResult("no expression <", without)).toEqual([]);
    });
  });

  it("names what is missing", () => {
    expect(evaluate("alert.labels.team == 'x'", scope)).toEqual({ kind: "missing", what: "`alert.labels.team`" });
  });

  it("counts only true and false as certain", () => {
    expect(truthOf({ kind: "value", value: true })).toBe("true");
    expect(truthOf({ kind: "value", value: false })).toBe("false");
    expect(truthOf({ kind: "value", value: 1 })).toBe("inconclusive");
  });

  it("takes lists of more than 1000 elements and texts of more than 64 KiB for missing", () => {
    expect(evaluate("size(params.l) > 0", { params: { l: Array<number>(1001).fill(1) } }).kind).toBe("missing");
    expect(evaluate("size(params.t) > 0", { params: { t: "x".repeat(65_537) } }).kind).toBe("missing");
  });

  // V8's own engine takes years for this; here it is enough that the test ends.
  it("matches patterns in linear time, on any part of the text", () => {
    const labels = { a: `${"a".repeat(5000)}b`, n: "12" };
    expect(evaluate("alert.labels.a.matches('^(a+)+$')", { alert: { labels } })).toEqual({ kind: "value", value: false });
    expect(evaluate("[alert.labels.a, 'x'].exists(l, l.matches('(a|a)*c'))", { alert: { labels } })).toEqual({
      kind: "value",
      value: false,
    });
    expect(evaluate("alert.labels.a.matches('a(?i)B')", { alert: { labels } })).toEqual({ kind: "value", value: true });
    expect(evaluate("params.count.matches('3')", scope)).toEqual({ kind: "error", message: expect.stringContaining(".matches(") });
  });

  it.each([
    ["texts that double", `[alert.labels.a]${".map(y, y + y)".repeat(18)}[0].size()`],
    ["lists that double", `[[1]]${".map(y, y + y)".repeat(20)}[0].size()`],
    ["lists that hold themselves twice", `[[1]]${".map(y, [y, y])".repeat(20)}`],
    ["such lists, compared", Array.from({ length: 2 }, () => `[params.l]${".map(y, [y, y, y, y])".repeat(18)}`).join(" == ")],
    ["maps that hold themselves twice", `[{'a': 1}]${".map(y, {'a': y, 'b': y})".repeat(16)}`],
    [
      "names bound to sums",
      "cel.bind(a, alert.labels.a + alert.labels.a, cel.bind(b, a+a+a+a+a+a+a+a, cel.bind(c, b+b+b+b+b+b+b+b, c+c+c+c+c+c+c+c+c+c)))",
    ],
    ["a loop in a loop", "params.l.all(x, params.l.all(y, x + y >= 0))"],
    ["a search in a loop", "params.l.all(x, x in params.l && x in params.l && x in params.l)"],
    ["time zones in a loop", "params.l.all(x, timestamp(x).getHours('Europe/Berlin') >= 0)"],
    ["a long text that is searched for a long one", "params.t.contains(params.u)"],
    ["a duration of many digits", "duration(params.t) == duration('1s')"],
    ["a pattern on a long text in a loop", "params.l.all(x, !params.t.matches('(a|b|c){40}x'))"],
    ["what a logical operator would hide", `params.l.all(x, params.l.all(y, x + y >= 0)) || true`],
    ["what a loop would hide", "params.l.exists(x, x == 999 || params.l.all(y, x + y >= 0) && false)"],
  ])("ends %s with a named error", (_, source) => {
    const bomb: Scope = {
      alert: { labels: { a: "x".repeat(1000) } },
      params: { l: Array.from({ length: 1000 }, (_unused, index) => index), t: "1".repeat(60_000), u: `2${"1".repeat(30_000)}` },
    };
    expect(evaluate(source, bomb)).toEqual({
      kind: "error",
      message: expect.stringMatching(/^The expression (?:takes|makes) more than \d+ (?:steps|bytes)$/u),
    });
  });

  it.each<[string, Json]>([
    ["params.l.filter(x, x % 2 == 0).map(x, x * 2).size()", 500],
    ["params.l.exists(x, x == 999) && !params.l.exists(x, x in [1000, 1001])", true],
    ["params.l.map(x, string(x)).join(',').size() > 1000", true],
    ["params.l.all(x, params.s.all(y, x >= y || y > x))", true],
    ["params.t.contains('2') || params.t.startsWith('1')", true],
    ["params.l == params.l", true],
  ])("%s costs little enough", (source, value) => {
    const usual: Scope = { params: { l: Array.from({ length: 1000 }, (_unused, index) => index), s: [1, 2, 3], t: "1".repeat(60_000) } };
    expect(evaluate(source, usual)).toEqual({ kind: "value", value });
  });

  it("is over after an error: the next expression has all of its steps", () => {
    const bomb = `[[1]]${".map(y, [y, y])".repeat(20)}`;
    for (let round = 0; round < 3; round += 1) {
      expect(evaluate(bomb, scope).kind).toBe("error");
      expect(evaluate("params.count + 1", scope)).toEqual({ kind: "value", value: 4 });
    }
  });

  it("ends whatever chain of calls makes its values grow", () => {
    const link = fc.constantFrom(
      ".map(y, y + y)",
      ".map(y, [y, y])",
      ".map(y, {'k': y, 'l': [y]})",
      ".map(y, [y, y, y].map(z, [z, z]))",
      ".filter(y, y == y)",
      ".map(y, cel.bind(z, [y, y], z + z))",
      ".map(y, [[y].map(z, z), [y]])",
      ".map(y, string(1) + 'ab')",
    );
    fc.assert(
      fc.property(fc.array(link, { maxLength: 20 }), (links) => {
        const { kind } = evaluate(`[alert.labels.budget]${links.join("")}`, scope);
        expect(["value", "missing", "error"]).toContain(kind);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  it("never throws, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (source) => {
        expect(["value", "missing", "error"]).toContain(evaluate(source, scope).kind);
      }),
      { seed: 7 },
    );
  });
});

describe("resolveTemplates", () => {
  const resolve = (value: Json, over: Scope = scope) => resolveTemplates(value, over);

  it("keeps the type of a value that is exactly one template", () => {
    expect(resolve({ a: "${{ params.count }}", b: ["${{ params.list }}"] })).toEqual({ ok: true, value: { a: 3, b: [["a", "b"]] } });
  });

  it("puts texts, numbers and booleans into a text", () => {
    expect(resolve("${{ params.budget }}/${{ params.count }}/${{ true }}")).toEqual({ ok: true, value: "checkout/3/true" });
  });

  it.each([
    "{{constructor.constructor('return process')()}}",
    "${7*7}",
    "<%= process.env %>",
    "#{1+1}",
    "${{ params.secret }}",
    "$${{ 1 }}",
    "}} ${{ result }}",
  ])("inserts %s as it stands and never reads it again", (hostile) => {
    const over: Scope = { alert: { labels: { a: hostile } }, params: { secret: "s3cret" } };
    expect(resolve("x ${{ alert.labels.a }} y", over)).toEqual({ ok: true, value: `x ${hostile} y` });
    expect(resolve("${{ alert.labels.a }}", over)).toEqual({ ok: true, value: hostile });
  });

  it.each([
    ["a list inside a text", "x ${{ params.list }}"],
    ["a missing label", "${{ alert.labels.team }}"],
    ["infinity", "${{ result.bad }}"],
    ["braces without an end", "${{ params.count"],
  ])("fails for %s and says what", (_, text) => {
    expect(resolve(text)).toEqual({ ok: false, what: expect.any(String) });
  });

  it("leaves braces and quotes inside an expression alone", () => {
    expect(resolve("${{ {'}}': 1}['}}'] }}")).toEqual({ ok: true, value: 1 });
  });
});

describe("resolvePromql", () => {
  const over = (label: Json): Scope => ({ params: { p: label } });

  it("escapes a value inside quotes so that it stays one text", () => {
    expect(resolvePromql('up{a="${{ params.p }}"}', over('x"} or vector(1) #\\\n'))).toEqual({
      ok: true,
      query: 'up{a="x\\"} or vector(1) #\\\\\\n"}',
    });
    expect(resolvePromql("up{a='${{ params.p }}'}", over("it's"))).toEqual({ ok: true, query: "up{a='it\\'s'}" });
  });

  it("makes a value literal inside a regular expression", () => {
    expect(resolvePromql('up{a=~"${{ params.p }}"}', over(".*|b"))).toEqual({ ok: true, query: 'up{a=~"\\\\.\\\\*\\\\|b"}' });
  });

  it("lets only a finite number stand outside quotes", () => {
    expect(resolvePromql("up > ${{ params.p }}", over(1.5))).toEqual({ ok: true, query: "up > 1.5" });
    expect(resolvePromql("up > ${{ params.p }}", over("1 or up")).ok).toBe(false);
    expect(resolvePromql("up > ${{ params.p }}", over(Number.POSITIVE_INFINITY)).ok).toBe(false);
  });

  it("refuses a value where nothing can be escaped", () => {
    expect(resolvePromql("up{a=`${{ params.p }}`}", over("x")).ok).toBe(false);
    expect(resolvePromql("up # ${{ params.p }}", over("x")).ok).toBe(false);
  });

  it("keeps any text inside its quotes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const resolved = resolvePromql('up{a="${{ params.p }}",b="c"}', over(text));
        const body = resolved.ok ? /^up\{a="((?:[^"\\\n]|\\.)*)",b="c"\}$/u.exec(resolved.query)?.[1] : undefined;
        expect(body?.replaceAll(/\\(.)/gu, (_, c: string) => (c === "n" ? "\n" : c === "r" ? "\r" : c))).toBe(text);
      }),
      { seed: 7 },
    );
  });
});

describe("checkExpression", () => {
  it("tells the alert labels that are read, by either notation", () => {
    expect(checkExpression('alert.labels.a == alert.labels["b c"]', undefined)).toMatchObject({ ok: true, labels: ["a", "b c"] });
  });

  it("knows what may be absent: its step must exist, its label need not", () => {
    expect(checkExpression('alert.labels.?a.orValue("b")', undefined)).toMatchObject({ ok: true, labels: [], steps: [] });
    const names = { roots: ["steps"], steps: ["look"] } as const;
    expect(checkExpression("steps.?look.result.x.orValue(1)", names)).toMatchObject({ ok: true, labels: [], steps: ["look"] });
    expect(checkExpression("steps.?lok.result.x.orValue(1)", names)).toMatchObject({ ok: false, accepted: "`steps.look`" });
  });

  it("does not take a loop's variable for an unknown name", () => {
    expect(checkExpression("params.l.all(x, x.y > 0) && cel.bind(z, 1, z == 1)", { roots: ["params"], params: ["l"] }).ok).toBe(true);
  });

  it("refuses to read all parameters at once, as that hides which", () => {
    expect(checkExpression("size(params) > 0", { roots: ["params"], params: ["l"] })).toMatchObject({ ok: false, offset: 5 });
  });
});
