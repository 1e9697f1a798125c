import { createHash, timingSafeEqual } from "node:crypto";

/** Whether an Authorization header proves knowledge of one of the webhook's tokens. */
export type WebhookAuth = (authorization: string | undefined) => boolean;

/**
 * Bearer with the token, or Basic with the token as the password and any user. All tokens are compared over their SHA-256, in constant time
 * and to the end. Without tokens everybody is let in: configuration permits that on loopback only.
 */
export function createWebhookAuth(tokens: readonly string[]): WebhookAuth {
  const expected = tokens.map((token) => digest(token));
  return (authorization) => {
    if (expected.length === 0) return true;
    const given = digest(secretOf(authorization ?? ""));
    return expected.map((one) => timingSafeEqual(one, given)).includes(true);
  };
}

/** What a Bearer header carries, or undefined. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +([\x21-\x7e]{1,512})$/i.exec(authorization ?? "")?.[1];
}

function secretOf(authorization: string): string {
  const bearer = bearerOf(authorization);
  if (bearer !== undefined) return bearer;
  const encoded = /^Basic +([A-Za-z0-9+/]{1,2048}={0,2})$/i.exec(authorization)?.[1] ?? "";
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  return decoded.slice(decoded.indexOf(":") + 1);
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
