import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { secretKinds } from "../../../../test/builders/secret-kinds.ts";
import { maskSecrets } from "./mask-secrets.ts";

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const word = (length: number, alphabet = letters) =>
  fc.string({ unit: fc.constantFrom(...alphabet.split("")), minLength: length, maxLength: length }).filter((one) => /[a-z]/i.test(one));
describe("maskSecrets, by kind", () => {
  it.each(secretKinds.map(([name, ...kind]) => ({ name, kind })))("$name", ({ kind: [write, length, alphabet] }) => {
    const around = fc.constantFrom("", " ", "\n", '"', "`", "config ", "see: ");
    const behind = fc.constantFrom("", " end", "\nmore", '"', "`", ", and");
    fc.assert(
      fc.property(word(length, alphabet), around, behind, (one, before, after) => {
        const masked = maskSecrets(`${before}${write(one)}${after}`);
        for (let at = 0; at + 8 <= one.length; at += 4) expect(masked).not.toContain(one.slice(at, at + 8));
        expect(masked).toContain("[secret]");
      }),
      { seed: 11, numRuns: 40 },
    );
  });

  it("masks the same again to the same", () => {
    fc.assert(
      fc.property(fc.constantFrom(...secretKinds), word(90), (kind, one) => {
        const masked = maskSecrets(kind[1](one.slice(0, kind[2])));
        expect(maskSecrets(masked)).toBe(masked);
      }),
      { seed: 11, numRuns: 200 },
    );
  });

  it("takes time in proportion to a hostile text", () => {
    const pieces = [
      "--password ",
      "password ",
      "login x ",
      "curl ",
      "?key=",
      "&access_",
      "sk-",
      "hf_a",
      "Authorization: ",
      "-----BEGIN PRIVATE KEY-----",
      "eyJ",
      "://",
      "a:",
      "SG.",
    ];
    for (const piece of pieces) {
      const started = performance.now();
      maskSecrets(piece.repeat(Math.ceil(300_000 / piece.length)));
      expect(performance.now() - started).toBeLessThan(3000);
    }
  });

  it.each([
    "The function hf_hub_download(repo_id) and npm_config_user_agent stay; so do sk-learn and the pwd /home/ann/shop.",
    "Run `git push --force-with-lease origin HEAD`, then `curl -s https://example.com/a?page=12`.",
    "At most tokens: 128000; commit 0123456789abcdef0123456789abcdef01234567, sha256:ab12; user ann logs in with the password manager.",
    "Status code=500, key: value, the basic idea, a bearer of news, token count 12.",
  ])("leaves %s", (text) => expect(maskSecrets(text)).toBe(text));
});
