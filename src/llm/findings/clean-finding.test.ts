import { expect, it } from "@jest/globals";
import { aSecurityFinding } from "../../../test/contracts/describe-security-findings.ts";
import { cleanFinding } from "./clean-finding.ts";
import { plainText } from "./plain-text.ts";

const token = `ghp_${"a1B2".repeat(9)}`;

it.each([
  ["HTML", '<p onclick="x()">A <b>bold</b> claim</p><!-- hidden -->', "A  bold  claim"],
  ["a script that entities hide", "&lt;script&gt;alert(1)&lt;/script&gt;done", "alert(1) done"],
  ["entities that hide entities", "&amp;lt;img src=x&amp;gt;", ""],
  ["a tag without an end", "a <script", "a < script"],
  ["comparisons", "a < b and c > d", "a < b and c > d"],
  [
    "Markdown",
    "## Title\n**See** [the docs](https://evil.example/x) and ![pixel](https://evil.example/p.png)\n```js\ncode()\n```",
    "Title\nSee the docs and pixel\n\ncode()",
  ],
  ["what a terminal obeys", "a\u001b[31mred\u0007\u202etxt", "aredtxt"],
  ["a secret", `the token ${token} is here`, "the token [secret] is here"],
  ["a secret that tags divide", `${token.slice(0, 10)}<b></b>${token.slice(10)}`, "[secret]"],
])("makes plain text of %s", (_name, text, plain) => {
  expect(plainText(text, 4000).replaceAll(/ +/g, " ")).toBe(plain.replaceAll(/ +/g, " "));
});

it("keeps nothing of a private key whose end is missing, and of a secret at the place where a long text is cut", () => {
  expect(plainText(`-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7`, 4000)).toBe("[secret]");
  for (let shift = 0; shift < 60; shift += 1) {
    const text = `${"x ".repeat(5000 - 30 + shift / 2)}${token} behind`;
    expect(plainText(text, 20_000)).not.toMatch(/ghp_/);
  }
});

it("reads a hostile text in time that grows with its length alone", () => {
  for (const part of ["<", "<!--", "[", "[a](", "&#", "**", "<a", "![", "```\n"])
    expect(plainText(part.repeat(200_000), 100).length).toBeLessThanOrEqual(100);
});

it("leaves out of a finding what looks like a secret, wherever it is", () => {
  const finding = cleanFinding({
    ...aSecurityFinding(),
    ref: `key ${token}`,
    title: `Found ${token}`,
    description: token,
    url: `https://user:${token}@example.com/`,
    fixedBy: token,
    secret: { type: token, validity: "active", key: token },
    facts: { cvss: token },
    location: { repository: `https://${token}@github.com/acme/desk`, path: `config/${token}.txt`, package: token },
  });
  expect(JSON.stringify(finding)).not.toContain("ghp_");
  expect(finding).toMatchObject({
    title: "Found [secret]",
    secret: { type: "[secret]", validity: "active" },
    location: { repository: "https://github.com/acme/desk" },
  });
  expect(finding.ref).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect([finding.url, finding.secret?.key]).toEqual([undefined, undefined]);
  expect(cleanFinding(finding)).toEqual(finding);
});

it("keeps a clean finding as it is, and addresses of pages alone", () => {
  const { feature: _feature, ...finding } = {
    ...aSecurityFinding(),
    url: "https://github.com/acme/desk/security/1",
    secret: { type: "npm", validity: "unknown" as const, key: "apikey_01Rj2N8SVvo6BePZj99NhmiT" },
  };
  expect(cleanFinding(finding)).toEqual(finding);
  for (const url of ["javascript:alert(1)", `https://example.com/%20${token}`, "https://user@example.com/"])
    expect(cleanFinding({ ...finding, url }).url).toBeUndefined();
  expect(cleanFinding({ ...finding, title: " \u200b " }).title).toBe("A finding without a title");
});
