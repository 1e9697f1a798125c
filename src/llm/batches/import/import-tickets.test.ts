import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { formatOf, type ImportFormat, importTickets } from "./import-tickets.ts";

const defaults = { kind: "fix" };
const read = (text: string, format: ImportFormat, more: object = {}) => importTickets(text, format, { ...defaults, ...more });
const faultsOf = (text: string, format: ImportFormat) =>
  read(text, format).faults.map(({ line, column, message }) => `${line}:${column} ${message}`);

describe("a file of tickets", () => {
  it("gives the same tickets from CSV, JSON lines and an export of issues", () => {
    const csv = read('ref,kind,repo,number,title,body\nacme/shop#7,bug,acme/shop,7,"Slow, very","one\ntwo"\n', "csv").tickets;
    const jsonl = read(
      `${JSON.stringify({ ref: "acme/shop#7", kind: "bug", repo: "acme/shop", number: 7, title: "Slow, very", body: "one\ntwo" })}\n`,
      "jsonl",
    ).tickets;
    const issue = {
      number: 7,
      title: "Slow, very",
      body: "one\ntwo",
      url: "https://github.com/acme/shop/issues/7",
      labels: [{ name: "kind/bug" }],
    };
    const github = read(JSON.stringify([issue]), "github").tickets;
    expect(jsonl).toMatchObject([
      { externalRef: "acme/shop#7", kind: "bug", payload: { repo: "acme/shop", number: 7, title: "Slow, very", body: "one\ntwo" } },
    ]);
    expect(csv).toMatchObject([
      { externalRef: "acme/shop#7", kind: "bug", payload: { repo: "acme/shop", number: "7", title: "Slow, very", body: "one\ntwo" } },
    ]);
    expect(github).toMatchObject([
      { externalRef: "acme/shop#7", kind: "bug", payload: { repo: "acme/shop", number: 7, title: "Slow, very", body: "one\ntwo" } },
    ]);
  });

  it("tells every fault of every ticket at once, each with its line and column", () => {
    const text = [
      "ref,kind,base_sha,max_attempts,estimate_usd",
      "a-1,Fix it,,,",
      "a b,fix,xyz,0,-1",
      ",fix,,,",
      "a-2,fix",
      "a-3,fix,,,",
      "a-3,fix,,101,",
      "a-3,fix,,,",
    ].join("\n");
    expect(faultsOf(text, "csv")).toEqual([
      "2:5 `kind` must be a kind of 1 to 40 letters a-z, digits and -.",
      "3:1 `ref` must be an id of 1 to 128 letters, digits and . : / # @ = + - _.",
      "3:9 `base_sha` must be a whole commit id of 40 or 64 hexadecimal digits.",
      "3:13 `max_attempts` must be 1 to 100.",
      "3:15 `estimate_usd` must be an amount in US dollars such as 0.25.",
      "4:1 The ticket has no `ref`; accepted is what identifies it where it comes from, e.g. acme/shop#7.",
      "5:1 2 fields; the first line names 5 columns.",
      "7:10 `max_attempts` must be 1 to 100.",
      "8:1 The reference a-3 stands in line 6 already.",
    ]);
  });

  it("tells what is not JSON and what is no ticket, line by line", () => {
    const text = [
      '{"ref":"a-1"}',
      '{"ref":"a-2",}',
      "",
      "[1]",
      `{"ref":"a-3","x":${"[".repeat(40)}${"]".repeat(40)}}`,
      '{"kind":3,"ref":"a-4"}',
    ].join("\n");
    expect(faultsOf(text, "jsonl")).toEqual([
      '2:14 Not JSON here; accepted is a text in double quotes (").',
      "4:1 A ticket is one JSON object per line.",
      "5:49 Not JSON here; accepted is at most 32 levels of nesting.",
      "6:9 `kind` must be Invalid input: expected string, received number.",
    ]);
  });

  it("reads an export of issues with places, passes pull requests over and takes the repository from the address or the caller", () => {
    const rest = {
      number: 1,
      title: "t",
      body: null,
      html_url: "https://github.com/acme/shop/issues/1",
      url: "https://api.github.com/repos/acme/shop/issues/1",
      pull_request: { url: "x" },
    };
    expect(read(JSON.stringify([rest]), "github")).toMatchObject({
      skipped: 1,
      faults: [{ message: "There is no ticket in it; a batch without tickets is refused." }],
    });
    expect(read('[{"number":2,"title":"t"}]', "github", { repo: "acme/shop" }).tickets).toMatchObject([
      { externalRef: "acme/shop#2", payload: { body: "" } },
    ]);
    expect(faultsOf('[\n {"title":"t"},\n {"number":2,"title":"t"},\n 3\n]', "github")).toEqual([
      "2:2 `number` must be a number; ask for it with --json number.",
      "3:12 `number` must be an issue whose repository is known: ask for it with --json url, or name the repository.",
      "4:2 An issue is a JSON object.",
    ]);
    expect(faultsOf('{"number":2}', "github")).toEqual([expect.stringContaining("1:1 An export of issues is one JSON list")]);
    const long = read(
      JSON.stringify([{ number: 3, title: "t", body: "x".repeat(60_000), url: "https://github.com/acme/shop/issues/3" }]),
      "github",
    );
    expect(long.tickets).toMatchObject([{ payload: { body_omitted: true, url: "https://github.com/acme/shop/issues/3" } }]);
  });

  it("refuses a ticket that carries too much, and a file that holds too many", () => {
    expect(faultsOf(`{"ref":"a","text":"${"x".repeat(17_000)}"}`, "jsonl")).toEqual([
      expect.stringContaining("1:1 The ticket carries 170"),
    ]);
    const many = `ref\n${Array.from({ length: 100_001 }, (_, index) => `a-${index}`).join("\n")}`;
    expect(faultsOf(many, "csv")).toEqual(["1:1 100001 tickets; accepted are 100000 in one batch."]);
  });

  it("lists a thousand faults and counts the others", () => {
    const result = read(`ref\n${"a b\n".repeat(1500)}`, "csv");
    expect(result.faults).toHaveLength(1000);
    expect(result.unlisted).toBe(500);
  });

  it("gives every ticket back that was written as a JSON line, whatever it carries", () => {
    // A name that differs from a column's only in case, blanks or dashes is refused, and has a test of its own.
    const column = /^(ref|externalref|kind|repo|basesha|variant|maxattempts|estimateusd)$/;
    const member = fc.string({ minLength: 1 }).filter((name) => !column.test(name.toLowerCase().replaceAll(/[\s_-]/gu, "")));
    const rows = fc.uniqueArray(
      fc.record({ ref: fc.stringMatching(/^[\w#]{1,20}$/), more: fc.dictionary(member, fc.jsonValue({ maxDepth: 3 })) }),
      { selector: ({ ref }) => ref, minLength: 1 },
    );
    fc.assert(
      fc.property(rows, (written) => {
        const text = written.map(({ ref, more }) => JSON.stringify({ ...more, ref })).join("\n");
        const result = read(text, "jsonl");
        expect(result.faults).toEqual([]);
        expect(result.tickets.map(({ externalRef, payload }) => ({ ref: externalRef, more: payload }))).toEqual(
          JSON.parse(JSON.stringify(written)),
        );
      }),
    );
  });

  it("meets any text with faults and never with an exception", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.constantFrom<ImportFormat>("csv", "jsonl", "github"), (text, format) => {
        const { tickets, faults } = read(text, format);
        expect(tickets.length + faults.length).toBeGreaterThan(0);
      }),
    );
  });

  it("knows the form by name and by beginning", () => {
    expect([
      formatOf("a.CSV", ""),
      formatOf("a.ndjson", ""),
      formatOf("issues.json", " [1]"),
      formatOf("x", '{"ref":1}'),
      formatOf("-", "ref\n"),
    ]).toEqual(["csv", "jsonl", "github", "jsonl", "csv"]);
  });
});

describe("a file that means what it says", () => {
  const known = ["kind", "repo", "base_sha", "variant", "max_attempts", "estimate_usd", "ref"];
  const misspelled = (name: string) => [
    name.toUpperCase(),
    name.replaceAll("_", " "),
    name.replaceAll("_", "-"),
    name.replaceAll(/_./g, (part) => part.slice(1).toUpperCase()),
  ];

  it.each(
    known.flatMap((name) =>
      misspelled(name)
        .filter((one) => one !== name)
        .map((one) => [one, name]),
    ),
  )("names the column %s, which must be %s to mean anything", (written, name) => {
    expect(faultsOf(`title,${written}\nx,1\n`, "csv")).toContain(`1:7 The column ${written} must be written \`${name}\`.`);
    expect(faultsOf(`${JSON.stringify({ ref: "a-1", [written]: "1" })}\n`, "jsonl").join()).toContain(`must be written \`${name}\``);
  });

  it("leaves every other name to the application", () => {
    expect(read("ref,Title,kinds,max\na-1,x,y,z\n", "csv").tickets).toMatchObject([{ payload: { Title: "x", kinds: "y", max: "z" } }]);
  });

  it.each(["id", "ID", "Key", "Issue key", "number"])("suggests to call `%s` the reference when there is none", (name) => {
    expect(faultsOf(`${name},title\nPROJ-1,x\n`, "csv")).toEqual([expect.stringContaining(`If that is \`${name}\`, call it \`ref\`.`)]);
  });

  it("takes the same issue in other letters, or by its address, for the same", () => {
    const text = "ref,title\nacme/shop#1,a\nAcme/Shop#1,b\nhttps://github.com/acme/shop/issues/1,c\nacme/shop#2,d\n";
    expect(faultsOf(text, "csv")).toEqual([
      "3:1 The reference Acme/Shop#1 stands in line 2 already.",
      "4:1 The reference https://github.com/acme/shop/issues/1 stands in line 2 already.",
    ]);
  });

  it("lets every issue travel whose body does not fit, whatever it consists of", () => {
    const text = fc
      .constantFrom('"', "\\", "\u001b[31m", "\n", "ä", "\u2028", "x")
      .chain((part) => fc.nat({ max: 20_000 }).map((length) => part.repeat(Math.ceil(length / part.length)).slice(0, length)));
    fc.assert(
      fc.property(text, fc.stringMatching(/^[ -~]{0,200}$/), (body, title) => {
        const issue = { number: 1, title, body, labels: ["a"], url: "https://github.com/acme/shop/issues/1" };
        const { tickets, faults } = read(JSON.stringify([issue]), "github", { baseSha: "a".repeat(64) });
        expect(faults).toEqual([]);
        const { payload } = tickets[0] ?? {};
        const travels = JSON.stringify(body).length < 12_000 || !("body_omitted" in Object(payload));
        expect(Object(payload)).toMatchObject(travels ? { body } : { body_omitted: true });
      }),
    );
  });
});
