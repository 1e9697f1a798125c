import { afterEach, describe, expect, it } from "@jest/globals";
import { createSystemClock } from "../../core/clock.ts";
import { maxScannedLength } from "../../llm/findings/secret-scanner.ts";
import { createSecretScanner, type SecretScannerLimits } from "./create-secret-scanner.ts";

const token = ["ghp", "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx"].join("_");
const open: (() => Promise<void>)[] = [];
const aScanner = (limits?: SecretScannerLimits) => {
  const scanner = createSecretScanner(createSystemClock(), limits);
  open.push(() => scanner.close());
  return scanner;
};

afterEach(async () => {
  await Promise.all(open.splice(0).map((close) => close()));
});

describe("scanning for secrets", () => {
  it("says what sort a secret is and where it is, and not what it says", async () => {
    const scan = await aScanner().scan(`the token is ${token}.`);
    expect(scan).toEqual({ kind: "scanned", secrets: [{ type: "GITHUB_TOKEN", start: 13, end: 13 + token.length }] });
    expect(JSON.stringify(scan)).not.toContain(token);
  });

  it("finds nothing in an ordinary text", async () => {
    expect(await aScanner().scan("Your export is ready, and 12 rows were written.")).toEqual({ kind: "scanned", secrets: [] });
    expect(await aScanner().scan("")).toEqual({ kind: "scanned", secrets: [] });
  });

  it.each([0, 24_570, 32_760, 60_000, maxScannedLength - token.length - 2])("finds a secret at %i of a long text, once", async (at) => {
    const text = `${"lorem ipsum ".repeat(30_000).slice(0, at)} ${token} `.padEnd(maxScannedLength, "dolor ");
    expect(await aScanner().scan(text)).toEqual({
      kind: "scanned",
      secrets: [{ type: "GITHUB_TOKEN", start: at + 1, end: at + 1 + token.length }],
    });
  });

  it("does not call a text free of secrets that it has not looked at", async () => {
    const long = await aScanner().scan("x".repeat(maxScannedLength + 1));
    expect(long).toEqual({ kind: "unscanned", reason: "the text is longer than 262144 characters" });
    const scanner = aScanner({ maxWaiting: 1 });
    const [first, second] = await Promise.all([scanner.scan(token), scanner.scan(token)]);
    expect(first.kind).toBe("scanned");
    expect(second).toEqual({ kind: "unscanned", reason: "1 texts are waiting already" });
  });

  it("ends a scan that takes too long, and scans the next text", async () => {
    const clock = createSystemClock();
    let isSlow = true;
    const scanner = createSecretScanner({ after: (ms, run) => clock.after(isSlow ? 0 : ms, run) }, { maxScanMs: 20_000 });
    open.push(() => scanner.close());
    expect(await scanner.scan("\n".repeat(maxScannedLength))).toEqual({ kind: "unscanned", reason: "the scan took longer than 20000 ms" });
    isSlow = false;
    expect(await scanner.scan(token)).toMatchObject({ kind: "scanned", secrets: [{ type: "GITHUB_TOKEN" }] });
  });

  it("goes on with a new thread after a number of scans", async () => {
    const scanner = aScanner({ maxScansOfThread: 2 });
    for (let nth = 0; nth < 5; nth += 1) expect(await scanner.scan(token)).toMatchObject({ kind: "scanned", secrets: [{ start: 0 }] });
  });
});
