import { describe, expect, it } from "@jest/globals";
import { aCommandTemplate } from "../../test/builders/action-bench.ts";
import { commandFaults } from "./command-faults.ts";
import type { CommandTemplate } from "./command-template.ts";

const word = { kind: "pattern", pattern: "[a-z]+", leadingDash: false } as const;

describe("a template that may be used", () => {
  it.each<[string, Partial<CommandTemplate>]>([
    ["a program with fixed arguments", { argv: ["/usr/bin/systemctl", "restart", "--", "api.service"] }],
    ["whole and inner placeholders", { argv: ["/bin/x", "{a}", "--name={a}", "{{literal}}"], args: { a: word } }],
    ["an interpreter with a script of its own", { argv: ["/bin/bash", "-eu", "/opt/restart.sh", "{a}"], args: { a: word } }],
    ["the exact argv of a container", { argv: ["/usr/bin/docker", "restart", "--", "{a}"], args: { a: word } }],
    ["a dash after the end of options", { argv: ["/bin/x", "--", "{a}"], args: { a: { ...word, leadingDash: true } } }],
    ["a probe", { effect: "probed", probe: { argv: ["/bin/is-there"], applied: [0], notApplied: [1] } }],
  ])("%s", (_name, change) => {
    expect(commandFaults(aCommandTemplate(change))).toEqual([]);
  });
});

describe("a template that is refused when it is loaded", () => {
  const cases: readonly (readonly [string, Partial<CommandTemplate>, string])[] = [
    ["a relative program", { argv: ["systemctl"] }, "no absolute path"],
    ["a program of the run", { argv: ["/bin/{a}"], args: { a: word } }, "no absolute path"],
    ["sh -c", { argv: ["/bin/sh", "-c", "echo hi"] }, "code in its arguments"],
    ["bash -xc", { argv: ["/bin/bash", "-xc", "id"] }, "code in its arguments"],
    ["node -e", { argv: ["/usr/bin/node", "-e", "1"] }, "code in its arguments"],
    ["node --eval=", { argv: ["/usr/bin/node", "--eval=1"] }, "code in its arguments"],
    ["python3.11 -c", { argv: ["/usr/bin/python3.11", "-c", "1"] }, "code in its arguments"],
    ["python -m", { argv: ["/usr/bin/python3", "-m", "http.server"] }, "needs a script"],
    ["perl -ne", { argv: ["/usr/bin/perl", "-ne", "print"] }, "code in its arguments"],
    ["php -r", { argv: ["/usr/bin/php", "-r", "1"] }, "code in its arguments"],
    ["an interpreter without a script", { argv: ["/bin/sh"] }, "needs a script"],
    ["a script of the run", { argv: ["/bin/sh", "{a}"], args: { a: word } }, "without placeholders"],
    ["options of the run before the script", { argv: ["/bin/sh", "-{a}", "/opt/x.sh"], args: { a: word } }, "without placeholders"],
    ["npx -c", { argv: ["/usr/bin/npx", "-c", "id"] }, "starts other programs"],
    ["env", { argv: ["/usr/bin/env", "bash"] }, "starts other programs"],
    ["sudo", { argv: ["/usr/bin/sudo", "id"] }, "starts other programs"],
    ["find -exec", { argv: ["/usr/bin/find", "/", "-exec", "id", ";"] }, "-exec"],
    ["git -c", { argv: ["/usr/bin/git", "-c", "core.sshCommand=id", "fetch"] }, "git -c"],
    ["git --upload-pack", { argv: ["/usr/bin/git", "fetch", "--upload-pack=id"] }, "--upload-pack"],
    ["ssh with a command of its own", { argv: ["/usr/bin/ssh", "-oProxyCommand=id", "host"] }, "ProxyCommand"],
    ["an unknown placeholder", { argv: ["/bin/x", "{b}"] }, "{b} is no argument"],
    ["an argument that is used nowhere", { args: { a: word } }, "used nowhere"],
    ["a dash before the end of options", { argv: ["/bin/x", "{a}"], args: { a: { ...word, leadingDash: true } } }, 'stands before "--"'],
    ["a pattern that fits nothing at all", { argv: ["/bin/x", "{a}"], args: { a: { ...word, pattern: ".*" } } }, "empty value"],
    ["a pattern that looks ahead", { argv: ["/bin/x", "{a}"], args: { a: { ...word, pattern: "(?=a)b" } } }, "unsupported Perl syntax"],
    ["a pattern that leaves its anchors", { argv: ["/bin/x", "{a}"], args: { a: { ...word, pattern: "a)|(b" } } }, "cannot be read"],
    [
      "a pattern of many repetitions",
      { argv: ["/bin/x", "{a}"], args: { a: { ...word, pattern: "(((a{9}){9}){9}){90}" } } },
      "is too large",
    ],
    ["an empty range", { argv: ["/bin/x", "{a}"], args: { a: { kind: "integer", min: 2, max: 1 } } }, "min is greater"],
    ["a relative folder", { argv: ["/bin/x", "{a}"], args: { a: { kind: "path", root: "data" } } }, "no absolute folder"],
    ["LD_PRELOAD from a step", { openEnv: { LD_PRELOAD: word } }, "LD_PRELOAD would choose which code runs"],
    ["PATH from a step", { openEnv: { PATH: word } }, "PATH would choose which code runs"],
    ["NODE_OPTIONS from a step", { openEnv: { NODE_OPTIONS: word } }, "NODE_OPTIONS"],
    ["a variable in two places", { env: { A: "1" }, openEnv: { A: word } }, "env and in open_env"],
    ["probed without a probe", { effect: "probed" }, "needs probe"],
    ["a probe with two meanings", { probe: { argv: ["/bin/x"], applied: [0], notApplied: [0] } }, "share an exit status"],
    ["an exit status with two meanings", { notAppliedExits: [0] }, "share a status"],
    ["a probe that is a shell", { probe: { argv: ["/bin/sh", "-c", "x"], applied: [0], notApplied: [1] } }, "probe.argv"],
  ];
  it.each(cases)("%s", (_name, change, fault) => {
    expect(commandFaults(aCommandTemplate(change)).join("\n")).toContain(fault);
  });
});
