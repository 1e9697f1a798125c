import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { clientTable } from "./builders/client-table.ts";
import { leftOutByClients } from "./builders/left-out-by-clients.ts";
import { type RecordedUsage, readingOf, readRecordedUsage } from "./builders/recorded-usage.ts";

const root = join(import.meta.dirname, "..");
const recorded = readRecordedUsage();
const callOf = ({ library, reads, name }: Pick<RecordedUsage, "library" | "reads" | "name">) => `${library}: ${reads}: ${name}`;

describe("what client libraries hand to their user", () => {
  it("was recorded of the versions that are locked", () => {
    const { dependencies } = z
      .looseObject({ dependencies: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(join(root, "test/clients/package.json"), "utf8")));
    expect(recorded.length).toBeGreaterThan(100);
    const versions = new Map(recorded.map(({ library, version }) => [library, version]));
    expect([...versions].filter(([library, version]) => dependencies[library]?.replace(/^npm:.*@/, "") !== version)).toEqual([]);
  });

  it("is read as the provider bills it, or has a named reason why not; what a library leaves out is listed", () => {
    const listed = leftOutByClients.flatMap(({ names, ...one }) => names.map((name) => callOf({ ...one, name })));
    const differing = recorded.filter((one) => readingOf(one).kind === "other").map(callOf);
    expect(differing.toSorted()).toEqual(listed.toSorted());
  });

  it("is exact for what the documents advise to report", () => {
    const advised = recorded.filter(
      ({ library, reads }) =>
        /^(?:@anthropic-ai\/sdk|openai|@google\/genai|@mistralai\/mistralai|cohere-ai|ollama|@aws-sdk\/.*)$/.test(library) ||
        /response_metadata\.usage|providerMetadata/.test(reads),
    );
    expect(advised.length).toBeGreaterThan(60);
    expect(advised.filter((one) => readingOf(one).kind !== "exact").map(callOf)).toEqual([]);
  });
});

it("has a table in the documents that says what was really run", () => {
  const document = readFileSync(join(root, "docs/client-libraries.md"), "utf8");
  const table = /^\| library \|[\s\S]*?(?=\n\n)/m.exec(document)?.[0];
  expect(table).toEqual(clientTable(recorded));
});
