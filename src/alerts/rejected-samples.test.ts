import { expect, it } from "@jest/globals";
import { createRejectedSamples, redactSample } from "./rejected-samples.ts";

const secret = "s3cr3t-Value-9f8e7d6c5b4a39281706";

it.each([
  `{"password":"${secret}"}`,
  `{"apiKey": "${secret}", "x": 1}`,
  `{"labels":{"access_token":"${secret}`,
  `{"url":"https://user:${secret}@host/path"}`,
  `Authorization: Bearer ${secret}`,
  `authorization: basic ${secret}`,
  `{"annotations":{"summary":"key ${secret}${secret} leaked"}}`,
  `{"my_secret":"with \\" quote ${secret}"}`,
])("removes what looks like a secret from %s", (body) => {
  expect(redactSample(body)).not.toContain(secret);
});

it("keeps what tells the sender's fault", () => {
  expect(redactSample('{"version":"3","alerts":[{"status":"weird"}]}')).toBe('{"version":"3","alerts":[{"status":"weird"}]}');
});

it("writes control characters, escapes of terminals and direction marks out", () => {
  expect(redactSample("a\n\u001b[31mred\u202Eevil\0")).toBe("a\\u000a\\u001b[31mred\\u202eevil\\u0000");
});

it("keeps the newest, cut", () => {
  const samples = createRejectedSamples(2);
  for (const body of ["first", "second", "x y ".repeat(5000)]) samples.add({ at: 1, status: 400, detail: "", issues: [], body });
  expect(samples.list().map(({ body }) => body.length)).toEqual([2000, "second".length]);
});

it.each([
  "glpat-abcdefghij0123456789",
  "AKIAIOSFODNN7EXAMPLE",
  "https://hooks.slack.com/services/T01/B02/abc123def",
  "mysql --password hunter2secret",
  "PGPASSWORD=hunter2",
  "https://x/y?key=abcdef123",
])("keeps no secret of %s", (text) => expect(redactSample(text)).not.toContain(text.split(/[ =/]/).at(-1)));
