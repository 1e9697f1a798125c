import { expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { figuresOf, svgSparkline, textSparkline } from "./sparkline.ts";

const metric = (...values: (number | null)[]) => ({ name: "burn", points: values.map((value, index) => ({ at: index * 1000, value })) });

it("draws values on a scale from zero, and a dot where nobody saw anything", () => {
  expect(textSparkline(metric(0, 1, 2, null, 4))).toBe("▁▃▅·█");
  expect(textSparkline(metric(0, 0))).toBe("▁▁");
  expect(textSparkline(metric())).toBe("");
});

it("keeps the highest value of a slice when there are more looks than columns", () => {
  expect(textSparkline(metric(...Array.from({ length: 100 }, (_, index) => (index === 57 ? 9 : 0))), 10)).toBe("▁▁▁▁▁█▁▁▁▁");
});

it("counts what was seen", () => {
  expect(figuresOf(metric(3, null, 9, 1))).toEqual({ first: 3, highest: 9, last: 1, unseen: 1 });
  expect(figuresOf(metric(null, null))).toBeUndefined();
});

it("interrupts the line where nobody saw anything", () => {
  expect(svgSparkline(metric(1, 2, null, 3)).match(/<polyline/g)).toHaveLength(2);
});

it("is a picture of finite numbers, whatever was measured", () => {
  const value = fc.option(fc.double({ noNaN: true, noDefaultInfinity: true }));
  fc.assert(
    fc.property(fc.array(value, { maxLength: 60 }), (values) => {
      const svg = svgSparkline(metric(...values));
      expect(svg).not.toMatch(/NaN|Infinity/);
      expect(svg.startsWith("<svg ") && svg.endsWith("</svg>")).toBe(true);
      expect(Array.from(textSparkline(metric(...values))).length).toBe(Math.min(40, values.length));
    }),
  );
});
