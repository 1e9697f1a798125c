import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { maskSecrets } from "./mask-secrets.ts";

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const word = (length: number, alphabet = letters) =>
  fc.string({ unit: fc.constantFrom(...alphabet.split("")), minLength: length, maxLength: length }).filter((one) => /[a-z]/i.test(one));
const hex = "0123456789abcdef";

/** How a secret of each kind is written; what must not stay is the generated part. */
const kinds: readonly (readonly [string, (secret: string) => string, number, string?])[] = [
  ["Slack, app", (one) => `xapp-1-A0123-1234-${one}`, 64],
  ["Slack, bot", (one) => `xoxb-123-456-${one}`, 24],
  ["Stripe", (one) => `sk_live_${one}`, 24],
  ["Stripe, restricted", (one) => `rk_test_${one}`, 24],
  ["Hugging Face", (one) => `hf_${one}`, 34],
  ["npm", (one) => `npm_${one}`, 36],
  ["Groq", (one) => `gsk_${one}`, 52],
  ["Vault", (one) => `hvs.${one}`, 90],
  ["PyPI", (one) => `pypi-AgEI${one}`, 60],
  ["SendGrid", (one) => `SG.${one.slice(0, 22)}.${one.slice(22)}`, 65],
  ["GitLab", (one) => `glpat-${one}`, 20],
  ["GitHub", (one) => `github_pat_${one}`, 40],
  ["Anthropic", (one) => `sk-ant-api03-${one}`, 80],
  ["Google, client", (one) => `GOCSPX-${one}`, 28],
  ["Google, access", (one) => `ya29.${one}`, 80],
  ["Docker", (one) => `dckr_pat_${one}`, 27],
  ["DigitalOcean", (one) => `dop_v1_${one}`, 64, hex],
  ["Databricks", (one) => `dapi${one}`, 32, hex],
  ["Grafana", (one) => `glsa_${one}_0a1b2c3d`, 32],
  ["Shopify", (one) => `shpat_${one}`, 32, hex],
  ["Telegram", (one) => `123456789:AA${one}`, 33],
  ["AWS, environment", (one) => `AWS_SECRET_ACCESS_KEY=${one}`, 40],
  ["AWS, answer", (one) => `"SecretAccessKey": "${one}"`, 40],
  ["AWS, inside JSON", (one) => String.raw`{\"aws_session_token\":\"${one}\"}`, 60],
  ["Azure", (one) => `AccountName=x;AccountKey=${one}==;EndpointSuffix=core`, 86],
  ["Azure, bus", (one) => `SharedAccessKeyName=root;SharedAccessKey=${one}=`, 43],
  ["webhook, Slack", (one) => `https://hooks.slack.com/services/T01/B02/${one}`, 24],
  ["webhook, Discord", (one) => `https://discord.com/api/webhooks/1234/${one}`, 60],
  ["webhook, Teams", (one) => `https://x.webhook.office.com/webhookb2/${one}/IncomingWebhook/1`, 36],
  ["address, key", (one) => `https://api.example.com/v1?key=${one}`, 20],
  ["address, signature", (one) => `https://x.blob.core/y?sv=1&sig=${one}`, 40],
  ["address, access token", (one) => `https://x/y?a=b&access_token=${one}#z`, 20],
  ["address, password", (one) => `redis://:${one}@db:6379/0`, 16],
  ["address, token as a user", (one) => `https://${one}@github.com/acme/shop`, 40],
  ["option", (one) => `mysql --password ${one} shop`, 13],
  ["option with a sign", (one) => `tool --api-key=${one}`, 16],
  ["option, quoted", (one) => `tool --token "${one}"`, 16],
  ["curl", (one) => `curl -s -u admin:${one} https://x`, 12],
  ["netrc", (one) => `machine x login me password ${one}`, 13],
  ["environment", (one) => `PGPASSWORD=${one} psql`, 8],
  ["header", (one) => `Authorization: Bearer ${one}`, 30],
  ["header, token", (one) => `"authorization": "token ${one}"`, 30],
  ["header, key", (one) => `x-api-key: ${one}`, 24],
  ["YAML", (one) => `  client_secret: ${one}`, 24],
  ["shell", (one) => `export DATABASE_PASSWORD='${one}'`, 12],
  ["Ruby", (one) => `:password => "${one}"`, 12],
  ["age", (one) => `AGE-SECRET-KEY-1${one}`, 58, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"],
];

describe("maskSecrets, by kind", () => {
  it.each(kinds.map(([name, ...kind]) => ({ name, kind })))("$name", ({ kind: [write, length, alphabet] }) => {
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
      fc.property(fc.constantFrom(...kinds), word(90), (kind, one) => {
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
