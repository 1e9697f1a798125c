import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { readCvss } from "./read-cvss.ts";

const known = (automatable: boolean, totalImpact: boolean, rating: string | undefined) => ({
  kind: "known",
  automatable,
  totalImpact,
  rating,
});

describe("reading a CVSS vector", () => {
  it.each([
    ["AV:N/AC:L/Au:N/C:C/I:C/A:C", known(true, true, "critical")],
    ["(AV:N/AC:L/Au:N/C:P/I:P/A:P)", known(true, false, "high")],
    ["AV:L/AC:H/Au:S/C:C/I:C/A:N", known(false, true, "medium")],
    ["AV:N/AC:L/Au:N/C:C/I:P/A:N", known(true, true, "high")],
    ["AV:N/AC:L/Au:S/C:C/I:P/A:N", known(false, false, "high")],
    ["AV:L/AC:L/Au:N/C:N/I:N/A:N", known(false, false, undefined)],
    ["CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", known(true, true, "critical")],
    ["CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H", known(false, true, "high")],
    ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", known(true, false, "high")],
    ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:H/A:N", known(true, true, "high")],
    ["CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:H/A:N", known(false, false, "high")],
    ["CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:U/C:L/I:N/A:N", known(false, false, "medium")],
    ["CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N", known(false, false, "low")],
    ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", known(true, true, "critical")],
    ["CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", known(false, true, "critical")],
    ["CVSS:4.0/AV:L/AC:H/AT:P/PR:H/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N/AU:Y", known(true, false, "low")],
    ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/AU:N", known(false, true, "critical")],
    ["  CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H\n", known(true, true, "critical")],
  ])("reads %s", (vector, expected) => {
    expect(readCvss(vector)).toEqual(expected);
  });

  it.each([
    ["", "it is no vector of CVSS 2, 3.0, 3.1 or 4.0"],
    ["garbage", "it is no vector of CVSS 2, 3.0, 3.1 or 4.0"],
    ["9.8", "it is no vector of CVSS 2, 3.0, 3.1 or 4.0"],
    ["CVSS:5.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "it is no vector of CVSS 2, 3.0, 3.1 or 4.0"],
    ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H", "a base metric is missing"],
    ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:X", "a base metric is missing"],
    ["CVSS:4.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "it is malformed"],
    ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N", "a base metric is missing"],
    ["AV:N/AC:L/Au:N/C:C/I:C", "a base metric is missing"],
    ["CVSS:3.1/AV:N/AV:L/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", "it gives a metric twice"],
    [`CVSS:3.1/${"AV:N/".repeat(2000)}`, "it is longer than 500 characters"],
  ])("calls %s unknown", (vector, reason) => {
    expect(readCvss(vector)).toEqual({ kind: "unknown", reason });
  });

  it("never throws", () => {
    const part = fc.constantFrom(
      "CVSS:3.1",
      "CVSS:3.0",
      "CVSS:4.0",
      "AV:N",
      "AC:L",
      "PR:N",
      "UI:N",
      "S:U",
      "C:H",
      "I:H",
      "A:H",
      "Au:N",
      "VC:H",
      "A:",
      ":",
      "X:X",
      "constructor:x",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ maxLength: 600 }),
          fc.array(part, { maxLength: 20 }).map((parts) => parts.join("/")),
        ),
        (text) => {
          expect(["known", "unknown"]).toContain(readCvss(text).kind);
        },
      ),
    );
  });
});
