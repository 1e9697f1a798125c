import { describe, expect, it } from "@jest/globals";
import { findFlag, switchOff, switchOn } from "./flag-file.ts";

const rule = `{
        "if": [ { "starts_with": [{ "var": "email" }, "a\\"},"] }, "on", null ]
      }`;
/** As a person writes it: other flags, other members, comments in metadata, and white space of its own. */
const fileWith = (flag: string) => `{
  "$schema": "https://flagd.dev/schema/v0/flags.json",
  "$evaluators": { "mine": { "in": ["@x", { "var": "email" }] } },
  "flags": {
    "before": { "state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on" },
    "export": ${flag},
    "after":   { "state":"DISABLED" , "variants": { "a": 1.0, "off": 0 }, "defaultVariant": "a" }
  },
  "metadata": { "flagSetId": "desk", "note": "\\u00e9 kept as it is" }
}
`;
const plain = `{ "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "on" }`;

const textOf = (edit: ReturnType<typeof switchOff>) => {
  if (edit.kind !== "edited") throw new Error(`It was ${JSON.stringify(edit)}.`);
  return edit.text;
};
const off = (text: string) => textOf(switchOff(text, "export"));
const on = (text: string) => textOf(switchOn(text, "export"));
const flagOf = (text: string): unknown => JSON.parse(text).flags.export;
const isOff = (text: string, key = "export") => {
  const search = findFlag(text, key);
  return search.kind === "found" ? search.flag.isOff : search;
};

describe("a flag in a file of flagd", () => {
  it.each([
    ["without a rule", plain],
    [
      "with a rule",
      `{\n      "state": "ENABLED",\n      "targeting": ${rule},\n      "defaultVariant":"on",\n      "variants": { "on": true, "off": false }\n    }`,
    ],
    ["with a rule at the end", `{"variants":{"off":false,"on":true},"state":"ENABLED","defaultVariant":"off","targeting":${rule}}`],
    ["without a default variant", `{"state":"ENABLED","variants":{"on":true,"off":false},"targeting":${rule}}`],
    ["whose default is the application's", `{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":null}`],
    ["without a default variant and a rule", `{\n "variants":{"on":true,"off":false}, "state":"ENABLED"}`],
    ["that is disabled", `{"state":"DISABLED","variants":{"on":true,"off":false},"defaultVariant":"off"}`],
    ["without a state", `{"variants":{"on":true,"off":false},"defaultVariant":"on"}`],
    ["with a rule without an effect", `{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"on","targeting":{ }}`],
    ["with a rule of null", `{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"on","targeting":null}`],
    ["whose variants have other names", `{"state":"ENABLED","variants":{"yes":true,"no":false},"defaultVariant":"yes"}`],
    ["whose names lie", `{"state":"ENABLED","variants":{"off":true,"on":false},"defaultVariant":"off"}`],
    ["with texts", `{"state":"ENABLED","variants":{"big":"gpt","off":""},"defaultVariant":"big"}`],
  ])("%s is off for everyone, and byte for byte what it was afterwards", (_, flag) => {
    const before = fileWith(flag);
    expect(isOff(before)).toBe(false);
    const switched = off(before);
    expect(isOff(switched)).toBe(true);
    expect(switchOff(switched, "export")).toEqual({ kind: "unchanged" });
    expect(on(switched)).toBe(before);
    // All other bytes stay as they are.
    const [head, tail] = before.split(flag);
    expect(switched.startsWith(head ?? "?")).toBe(true);
    expect(switched.endsWith(tail ?? "?")).toBe(true);
  });

  it("has no rule at all while it is off, and its default variant means off", () => {
    expect(
      flagOf(off(fileWith(`{"state":"DISABLED","variants":{"yes":true,"no":false},"targeting":${rule},"defaultVariant":"yes"}`))),
    ).toEqual({
      state: "ENABLED",
      "x-runbookd-state": "DISABLED",
      variants: { yes: true, no: false },
      "x-runbookd-targeting": JSON.parse(rule),
      defaultVariant: "no",
      "x-runbookd-defaultVariant": "yes",
    });
    expect(flagOf(off(fileWith(`{"state":"ENABLED","variants":{"off":true,"on":false},"defaultVariant":"off"}`)))).toMatchObject({
      defaultVariant: "on",
    });
  });

  it("is off again after a person has written a rule, which then is what is restored", () => {
    const switched = off(fileWith(`{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"on","targeting":${rule}}`));
    const edited = switched.replace('"x-runbookd-targeting"', '"targeting": {"if":[true,"on"]}, "x-runbookd-targeting"');
    expect(isOff(edited)).toBe(false);
    const again = off(edited);
    expect(flagOf(again)).toMatchObject({
      defaultVariant: "off",
      "x-runbookd-defaultVariant": "on",
      "x-runbookd-targeting": { if: [true, "on"] },
    });
    expect(flagOf(on(again))).toEqual({
      state: "ENABLED",
      variants: { on: true, off: false },
      defaultVariant: "on",
      targeting: { if: [true, "on"] },
    });
  });

  it("is restored wherever a person has moved what was put aside", () => {
    const switched = fileWith(
      `{"variants":{"on":true,"off":false},"x-runbookd-targeting":${rule},"x-runbookd-state":"DISABLED","state":"ENABLED","defaultVariant":"off" ,"x-runbookd-defaultVariant":{"absent":true}}`,
    );
    expect(flagOf(on(switched))).toEqual({ variants: { on: true, off: false }, targeting: JSON.parse(rule), state: "DISABLED" });
  });

  it("that somebody else switched off gets the only variant whose value is true", () => {
    expect(flagOf(on(fileWith(`{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off"}`)))).toMatchObject({
      defaultVariant: "on",
    });
    for (const variants of [`{"a":true,"b":true,"off":false}`, `{"off":false}`, `{"big":"gpt","off":""}`])
      expect(switchOn(fileWith(`{"state":"ENABLED","variants":${variants},"defaultVariant":"off"}`), "export")).toMatchObject({
        kind: "refused",
      });
  });

  it("without a variant that means off cannot be switched off", () => {
    expect(switchOff(fileWith(`{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on"}`), "export")).toEqual({
      kind: "refused",
      reason: "has no variant with the value false",
    });
    for (const variants of [`{"big":"gpt","none":""}`, `{"on":true,"none":"no"}`, "{}"])
      expect(switchOff(fileWith(`{"state":"ENABLED","variants":${variants},"defaultVariant":null}`), "export")).toMatchObject({
        kind: "refused",
      });
  });

  it("is found in a list of flags too", () => {
    const list = `{"flags":[{"key":"a","variants":{"off":false,"on":true},"defaultVariant":"on"},{"key":"export","state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"on"}]}`;
    const switched = off(list);
    expect(JSON.parse(switched).flags[1]).toMatchObject({ key: "export", defaultVariant: "off" });
    expect(JSON.parse(switched).flags[0]).toMatchObject({ defaultVariant: "on" });
    expect(on(switched)).toBe(list);
    expect(switchOff(list.replace('"a"', '"export"'), "export")).toEqual({ kind: "damaged", reason: "has the flag twice" });
  });

  it("has a version that changes with it, and with nothing else", () => {
    const versionOf = (text: string) => {
      const search = findFlag(text, "export");
      return search.kind === "found" ? search.flag.version : undefined;
    };
    const text = fileWith(plain);
    expect(versionOf(off(text))).not.toBe(versionOf(text));
    expect(versionOf(textOf(switchOff(text, "before")))).toBe(versionOf(text));
    expect(versionOf(on(off(text)))).toBe(versionOf(text));
  });

  it("is not there under another name, also of those that every object has", () => {
    for (const key of ["Export", "", "__proto__", "constructor", "flags", "x"]) {
      expect(findFlag(fileWith(plain), key)).toEqual({ kind: "absent" });
      expect(switchOff(fileWith(plain), key)).toEqual({ kind: "absent" });
      expect(switchOn(fileWith(plain), key)).toEqual({ kind: "absent" });
    }
    const odd = `{"flags":{"__proto__":${plain}}}`;
    expect(JSON.parse(textOf(switchOff(odd, "__proto__"))).flags).toHaveProperty(["__proto__", "defaultVariant"], "off");
  });

  it.each([
    ["", "is not a JSON object"],
    ["null", "is not a JSON object"],
    ["[]", "is not a JSON object"],
    [fileWith(plain).slice(0, -3), "is not a JSON object"],
    [`\ufeff${fileWith(plain)}`, "is not a JSON object"],
    ["{}", "has no flags"],
    [`{"flags":7}`, "has neither an object nor a list of flags"],
    [`{"flags":{},"flags":{"export":${plain}}}`, "has flags twice"],
    [`{"Flags":{"export":${plain}}}`, "spells flags in another case"],
    [`{"flags":{"export":${plain},"export":${plain}}}`, "has the flag twice"],
    [`{"flags":{"export":null}}`, "has something else than an object for the flag"],
    [`{"flags":{"export":{"state":"ENABLED"}}}`, "has a flag without variants"],
    [`{"flags":{"export":{"variants":[true,false]}}}`, "has a flag without variants"],
    [fileWith(plain.replace('"state"', '"defaultVariant": "off", "state"')), "has defaultVariant twice in the flag"],
    [fileWith(plain.replace('"state"', '"Targeting": {}, "state"')), "spells targeting in another case in the flag"],
  ])("is not looked for in a damaged file (%#)", (text, reason) => {
    expect(findFlag(text, "export")).toEqual({ kind: "damaged", reason });
    expect(switchOff(text, "export")).toEqual({ kind: "damaged", reason });
    expect(switchOn(text, "export")).toEqual({ kind: "damaged", reason });
  });

  it("is found in a big file without delay: its parts are each looked at once", () => {
    const flags = Array.from({ length: 20_000 }, (_, nth) => `"flag-${nth}": ${plain}`).join(",");
    const text = `{"flags":{${flags},"export":${plain},"deep":${"[".repeat(5000)}${"]".repeat(5000)}}}`;
    expect(isOff(off(text))).toBe(true);
  });
});
