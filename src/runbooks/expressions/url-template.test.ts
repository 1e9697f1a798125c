import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { resolveUrl } from "./expression.ts";
import { urlTemplateFault } from "./url-template.ts";

function fill(url: string, value: string) {
  return resolveUrl(url, { params: { x: value } });
}
const hole = "${{ params.x }}";
const hostile = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc
    .array(fc.constantFrom("..", ".", "/", "\\", "%2e", "%2F", "?", "#", "&", "=", ";", "@", ":", "a", "%", " ", "\n", "\u202e"), {
      maxLength: 12,
    })
    .map((parts) => parts.join("")),
);

describe("a URL with templates", () => {
  it("keeps its path, whatever a label holds: the value is one segment or the URL is refused", () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const filled = fill(`https://gw.example/pools/${hole}/drain?by=runbookd`, value);
        if (!filled.ok) return;
        const url = new URL(filled.value);
        expect(url.origin).toBe("https://gw.example");
        expect(url.search).toBe("?by=runbookd");
        const segments = url.pathname.split("/");
        expect([segments.length, segments[1], segments[3]]).toEqual([4, "pools", "drain"]);
        expect(decodeURIComponent(segments[2] ?? "")).toBe(value);
      }),
    );
  });

  it("keeps its parameters, whatever a label holds", () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const filled = fill(`https://gw.example/drain?pool=${hole}&force=no`, value);
        if (!filled.ok) return;
        const { searchParams, pathname, hash } = new URL(filled.value);
        expect([pathname, hash]).toEqual(["/drain", ""]);
        expect([...searchParams]).toEqual([
          ["pool", value],
          ["force", "no"],
        ]);
      }),
    );
  });

  it("keeps its host, or is refused", () => {
    fc.assert(
      fc.property(hostile, (value) => {
        const filled = fill(`https://${hole}.internal/drain`, value);
        if (!filled.ok) return;
        const { pathname, search, username, password } = new URL(filled.value);
        expect([pathname, search, username, password]).toEqual(["/drain", "", "", ""]);
      }),
    );
  });

  it.each([
    ["x/../../admin/wipe?confirm=yes&x=", "dot segment"],
    ["..", "dot segment"],
    ["%2e%2e", "dot segment"],
    ["", "empty"],
    ["a\u0000b", "control character"],
    ["\ud800", "path segment"],
  ])("refuses the label %j in a path", (value, why) => {
    expect(fill(`https://gw.example/pools/${hole}/drain`, value)).toMatchObject({ ok: false, what: expect.stringContaining(why) });
  });

  it("does not let an empty label name the collection in place of the item", () => {
    expect(fill(`https://gw.example/pools/${hole}`, "")).toMatchObject({ ok: false, what: expect.stringContaining("empty") });
    expect(fill(`https://gw.example/pools/${hole}?x=1`, "")).toMatchObject({ ok: false });
  });

  it("encodes what is sound", () => {
    expect(fill(`https://gw.example/pools/${hole}/drain?pool=${hole}#${hole}`, "eth0/1 & more")).toEqual({
      ok: true,
      value: "https://gw.example/pools/eth0%2F1%20%26%20more/drain?pool=eth0%2F1%20%26%20more#eth0%2F1%20%26%20more",
    });
    expect(fill(`http://${hole}/-/reload`, "db-1.internal:9090")).toEqual({ ok: true, value: "http://db-1.internal:9090/-/reload" });
    expect(fill(`https://gw.example/pool-${hole}`, "")).toEqual({ ok: true, value: "https://gw.example/pool-" });
  });

  it.each([
    [`${hole}/drain`, "beginning"],
    [hole, "beginning"],
    [`ht${hole}://gw.example/a`, "beginning"],
    [`https:/${hole}/a`, "beginning"],
    ["https://gw.example/a/../b", "dot segment"],
    ["https://gw.example/a//b", "empty segment"],
    ["https://gw.example/${{ params.x }", "no matching"],
  ])("is a fault of the document: %s", (url, why) => {
    expect(urlTemplateFault(url)).toContain(why);
    expect(fill(url, "x").ok).toBe(false);
  });

  it.each([`https://gw.example/pools/${hole}`, `https://${hole}/a`, "http://localhost:8080", `https://gw.example/?a=${hole}/../b`])(
    "may be %s",
    (url) => {
      expect(urlTemplateFault(url)).toBeUndefined();
    },
  );
});
