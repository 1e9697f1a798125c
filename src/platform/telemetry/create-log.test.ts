import { expect, it } from "@jest/globals";
import { createSystemClock } from "../../core/clock.ts";
import type { Log } from "../../core/log.ts";
import { createLog } from "./create-log.ts";
import { createRedaction } from "./redaction.ts";

const captured = (secrets: string[] = []) => {
  const lines: string[] = [];
  const log = createLog({
    level: "debug",
    destination: { write: (line) => void lines.push(line) },
    redaction: createRedaction(secrets),
    clock: createSystemClock(),
  });
  const only = (write: (log: Log) => void): { [name: string]: unknown } => {
    write(log);
    return JSON.parse(lines.at(-1) ?? "null");
  };
  return { lines, log, only };
};

it("writes one JSON object per line with its level, UTC time, run and step", () => {
  const { only } = captured();
  const line = only((log) => log.ofRun("run-1", "pause-batches").info({ attempt: 2 }, "step started"));
  expect(line).toEqual({
    level: "info",
    time: expect.stringMatching(/Z$/),
    run: "run-1",
    step: "pause-batches",
    attempt: 2,
    msg: "step started",
  });
});

it("shows an error without the arguments of the command that failed, also as a cause and deep inside", () => {
  const { only, lines } = captured();
  const reply = Object.assign(new Error("WRONGTYPE"), { command: { name: "set", args: ["key", "confidential"] }, code: "EREDIS" });
  const line = only((log) => log.error({ err: new Error("store failed", { cause: reply }), detail: { list: [reply] } }, "failed"));
  expect(lines.join("")).not.toContain("confidential");
  expect(line["err"]).toMatchObject({ message: "store failed", cause: { message: "WRONGTYPE", code: "EREDIS" } });
  expect(line["detail"]).toMatchObject({ list: [{ name: "Error", message: "WRONGTYPE" }] });
});

it("removes registered secrets from messages, fields, names and errors", () => {
  const { lines, log } = captured(["hunter-two"]);
  log.warn({ url: "redis://:hunter-two@h/", "hunter-two": 1, err: new Error("bad hunter-two") }, "using hunter-two");
  expect(lines.join("")).not.toContain("hunter-two");
});

it("keeps a hostile text on one line and free of terminal commands", () => {
  const { lines, log } = captured();
  log.info({ label: 'a\u001b[2J\n{"level":"error"}\u009b31m\u202e\u2028b' }, "odd\rlabel");
  expect(lines).toHaveLength(1);
  // oxlint-disable-next-line no-control-regex -- that none of them is left is what is tested
  expect(lines[0]?.trimEnd()).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ label: 'a\u001b[2J\n{"level":"error"}\u009b31m\u202e\u2028b' });
});

it("survives values that JSON cannot hold", () => {
  const { only } = captured();
  const circular: { self?: unknown } = {};
  circular.self = circular;
  const line = only((log) => log.info({ circular, big: 1n, bytes: Buffer.from("abc"), at: new Date(Number.NaN) }, "odd values"));
  expect(line).toMatchObject({ big: "1", bytes: "[3 bytes]", at: "invalid date" });
});
