import { describe, expect, it } from "@jest/globals";
import { maskSecrets } from "./mask-secrets.ts";

describe("maskSecrets", () => {
  it.each([
    ["key sk-ant-api03-AbCdEfGhIjKlMnOpQrSt and more", "key [secret] and more"],
    ["ghp_0123456789abcdefghijABCDEFGHIJ0123", "[secret]"],
    ["AKIAIOSFODNN7EXAMPLE", "[secret]"],
    ["xoxb-12345-abcdefghijk", "[secret]"],
    ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.SflKxwRJSMeKKF2QT4", "[secret]"],
    ["Authorization: Bearer abcdef0123456789", "Authorization: Bearer [secret]"],
    ["postgres://app:hunter22@db/one", "postgres://app:[secret]@db/one"],
    ['{"password": "correct-horse"}', '{"password": "[secret]"}'],
    [String.raw`"text":"{\"api_key\":\"abcdef123456\"}"`, String.raw`"text":"{\"api_key\":\"[secret]\"}"`],
    ["write to ann.lee@example.co.uk, please", "write to [address], please"],
    ["src/curl -u admin:s3cret https://x", "src/curl -u admin:[secret] https://x"],
    ["$(/usr/bin/curl -s -u admin:s3cret)", "$(/usr/bin/curl -s -u admin:[secret]"],
    ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "[secret]"],
  ])("%s", (text, masked) => expect(maskSecrets(text)).toBe(masked));

  it("leaves ordinary text, clocks and ids as they are: they are what a difference is looked for in", () => {
    const text =
      "Current time: 2026-11-26T15:12:16Z, request 77120e95-dfee-448f-a98a-27d9d4aabbcc. At most tokens: 128000 of the @tool decorator; secret santa.";
    expect(maskSecrets(text)).toBe(text);
  });

  it("takes a long text of almost-secrets in its stride", () => {
    const text = "-----BEGIN PRIVATE KEY-----".repeat(700) + "a.".repeat(2000) + "token:".repeat(500);
    expect(maskSecrets(text).length).toBeGreaterThan(0);
  });
});
