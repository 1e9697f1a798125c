import { expect, it } from "@jest/globals";
import { createSystemClock } from "../../core/clock.ts";
import { createHttpClient } from "./create-http-client.ts";

const client = createHttpClient({ allow: ["https://gateway.example", "http://127.0.0.1:4000/"], clock: createSystemClock() });

it.each(["https://gateway.example/key/block?x=1", "https://GATEWAY.example:443/", "http://127.0.0.1:4000/a"])("allows %s", (url) => {
  expect(client.refusal(url)).toBeUndefined();
});

it.each([
  "http://gateway.example/",
  "https://gateway.example:8443/",
  "https://gateway.example.evil.example/",
  "https://evil.example/?https://gateway.example",
  "https://gateway.example@evil.example/",
  "https://user:password@gateway.example/",
  "https://gateway.example\\@evil.example/",
  "https://gateway.example/\tx",
  " https://gateway.example/",
  "http://169.254.169.254/latest/meta-data",
  "http://[::ffff:169.254.169.254]/",
  "http://2852039166/",
  "http://0x7f.1:4001/",
  "http://localhost.:4000/",
  "file:///etc/passwd",
  "ftp://gateway.example/",
  "javascript:alert(1)",
  "//gateway.example/",
  "/relative",
  "",
])("refuses %j", (url) => {
  expect(client.refusal(url)).toEqual(expect.any(String));
});

it("sends nothing to what it refuses", async () => {
  const answer = await client.request({ method: "POST", url: "http://127.0.0.1:9/", headers: {}, signal: new AbortController().signal });
  expect(answer).toMatchObject({ kind: "failed", failure: { reason: "invalid_parameters", applied: "no" } });
});

it("allows nothing without a list", () => {
  expect(createHttpClient({ allow: [], clock: createSystemClock() }).refusal("https://gateway.example/")).toContain("listed: none");
});
