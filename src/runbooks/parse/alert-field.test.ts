import { expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { readAlertField } from "./alert-field.ts";

it.each([
  ["alert.labels.job", { kind: "labels", name: "job" }],
  ["alert.annotations.summary", { kind: "annotations", name: "summary" }],
  ['alert.labels["service.name"]', { kind: "labels", name: "service.name" }],
  ["alert.labels['größe']", { kind: "labels", name: "größe" }],
])("reads %s", (text, field) => {
  expect(readAlertField(text)).toEqual(field);
});

it.each([
  "alert.labels.service.name",
  'alert.labels[""]',
  'alert.labels["a]',
  'alert.labels["a\\"b"]',
  "alert.labels[a]",
  "alert.status",
  " alert.labels.a",
])("takes %s for no field", (text) => {
  expect(readAlertField(text)).toBeUndefined();
});

it("reads every name of a label that has no quote, backslash or control character", () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, unit: "grapheme" }).filter((name) => !/["\\\p{Cc}]/u.test(name)),
      (name) => {
        expect(readAlertField(`alert.labels["${name}"]`)).toEqual({ kind: "labels", name });
      },
    ),
  );
});
