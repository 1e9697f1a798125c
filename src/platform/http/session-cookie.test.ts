import { describe, expect, it } from "@jest/globals";
import { readSessionCookie, sessionCookieFor, writeSessionCookie } from "./session-cookie.ts";

describe("the cookie's name", () => {
  it.each([
    [
      { host: "evil.example", publicUrl: "https://runbookd.example" },
      { name: "__Host-rb", isSecure: true },
    ],
    [
      { host: "localhost:9097", publicUrl: undefined },
      { name: "rb-9097", isSecure: false },
    ],
    [{ host: "127.0.0.9:1" }, { name: "rb-1", isSecure: false }],
    [{ host: "[::1]:80" }, { name: "rb-80", isSecure: false }],
    [
      { host: "x", publicUrl: "http://localhost:8080/base" },
      { name: "rb-8080", isSecure: false },
    ],
    [{ host: "runbookd.internal:9097" }, undefined],
    [{ host: "127.0.0.1.evil.example" }, undefined],
    [{ host: "10.0.0.1" }, undefined],
    [{ host: "localhost:9097", publicUrl: "http://runbookd.internal" }, undefined],
    [{ host: undefined }, undefined],
    [{ host: "a b" }, undefined],
  ])("for %j is %j", (reached, cookie) => {
    expect(sessionCookieFor(reached)).toEqual(cookie);
  });
});

describe("the cookie's secret", () => {
  const cookie = { name: "__Host-rb", isSecure: true };
  const secret = "a".repeat(43);
  it.each([
    [`__Host-rb=${secret}`, secret],
    [`a=b; __Host-rb=${secret}; c=d`, secret],
    [`__Host-rb=${secret}; __Host-rb=${"b".repeat(43)}`, undefined],
    [`__host-rb=${secret}`, undefined],
    [`x__Host-rb=${secret}`, undefined],
    [`__Host-rb="${secret}"`, undefined],
    [`__Host-rb=${secret}a`, undefined],
    ["__Host-rb=", undefined],
    [undefined, undefined],
  ])("in %j is %j", (header, read) => {
    expect(readSessionCookie(header, cookie)).toBe(read);
  });

  it("is kept from scripts and other sites, and over https from plain http", () => {
    expect(writeSessionCookie(cookie, "x", 5000)).toBe("__Host-rb=x; Path=/; Max-Age=5; HttpOnly; SameSite=Strict; Secure");
    expect(writeSessionCookie({ name: "rb-80", isSecure: false }, "", 0)).toBe("rb-80=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
  });
});
