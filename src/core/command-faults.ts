import { type ArgumentType, type CommandTemplate, placeholdersOf } from "./command-template.ts";
import { readPattern } from "./linear-pattern.ts";

/** Reads code from its arguments; the script itself must be a literal of the template. */
const interpreters =
  /^(?:ba|da|a|z|k|mk|c|tc|fi)?sh$|^(?:node|nodejs|deno|bun|ruby|perl|php|lua|luajit|tclsh|pwsh|osascript|Rscript|python|pypy)[\d.]*$/;

/** A shell takes code after `-c` only, where `-e` is a harmless one; the others have more ways. */
const shells = /sh$/;
const inlineShell = /^-[A-Za-z]*c/;
const inlineCode = /^-[A-Za-z]*[ceEpr]|^--(?:eval|print|command|run|execute)(?:=|$)/;

/** Programs whose only work is to start another one; the template names that one itself. */
const launchers = new Set(
  "env xargs nohup setsid sudo doas su runuser chroot unshare nsenter nice ionice timeout stdbuf script watch parallel npx pnpx bunx busybox toybox gawk mawk awk sed ed vi vim emacs".split(
    " ",
  ),
);

/** Options of an otherwise harmless program that make it start another one. */
const dangerousOptions: Readonly<Record<string, RegExp>> = {
  find: /^-(?:exec|execdir|ok|okdir|delete|fprint\w*|fls)$/,
  git: /^(?:-c|--exec-path|--config-env|--upload-pack|--receive-pack|-u)(?:=|$)/,
  tar: /^(?:--to-command|--checkpoint-action|-I|--use-compress-program|--rsh-command)(?:=|$)/,
  ssh: /^-F|(?:Proxy|Local|KnownHosts)Command/i,
  scp: /^-[FS]|(?:Proxy|Local|KnownHosts)Command/i,
  rsync: /^(?:-e|--rsh)(?:=|$)/,
  npm: /^(?:exec|x|run-script)$/,
  curl: /^(?:-K|--config)(?:=|$)/,
};

/** Variables that change which code a program runs. */
const codeVariables =
  /^(?:LD_|DYLD_|GIT_|BASH_|PERL5|PYTHON|RUBY|NODE_|JAVA_TOOL|_JAVA|PATH$|IFS$|ENV$|SHELLOPTS$|PS4$|PROMPT_COMMAND$|EDITOR$|VISUAL$|PAGER$|RUNBOOKD_)/;

const maxEnum = 200;

/** Everything that is wrong with a template, each as a sentence; empty when it may be used. */
export function commandFaults(template: CommandTemplate): readonly string[] {
  const { argv, args, env, openEnv, probe } = template;
  return [
    ...[...Object.entries(args), ...Object.entries(openEnv)].flatMap(([name, type]) => typeFaults(name, type)),
    ...argvFaults("argv", argv, args),
    ...(probe === undefined ? [] : argvFaults("probe.argv", probe.argv, args)),
    ...(probe?.applied.some((code) => probe.notApplied.includes(code)) === true
      ? ["probe.applied and probe.not_applied share an exit status"]
      : []),
    ...(template.effect === "probed" && probe === undefined ? ["effect probed needs probe"] : []),
    ...(template.okExits.some((code) => template.notAppliedExits.includes(code)) ? ["ok_exits and not_applied_exits share a status"] : []),
    ...[...Object.values(env), template.target].flatMap((text) => unknownNames("env or target", text, args)),
    ...Object.entries(openEnv).flatMap(([name, type]) => [
      ...(codeVariables.test(name) ? [`open_env ${name} would choose which code runs`] : []),
      ...(Object.hasOwn(env, name) ? [`${name} stands in env and in open_env`] : []),
      ...(type.kind === "path" ? [`open_env ${name} is a path; a path is an argument`] : []),
    ]),
    ...Object.keys(args).flatMap((name) =>
      [...argv, ...Object.values(env)].some((text) => placeholdersOf(text).includes(name)) ? [] : [`argument ${name} is used nowhere`],
    ),
  ];
}

function typeFaults(name: string, type: ArgumentType): readonly string[] {
  switch (type.kind) {
    case "enum":
      return type.values.length > maxEnum || new Set(type.values).size < type.values.length
        ? [`argument ${name}: at most ${maxEnum} different values`]
        : [];
    case "integer":
      return type.min > type.max ? [`argument ${name}: min is greater than max`] : [];
    case "path":
      return type.root.startsWith("/") && !type.root.split("/").includes("..")
        ? []
        : [`argument ${name}: path_below is no absolute folder`];
    case "pattern": {
      // Also without the anchors, which `a)|(b` would leave behind.
      const alone = readPattern(type.pattern, "part");
      const reading = alone.ok ? readPattern(type.pattern) : alone;
      if (!reading.ok) return [`argument ${name}: the pattern ${reading.fault}`];
      return reading.pattern.test("") === true ? [`argument ${name}: the pattern fits an empty value`] : [];
    }
  }
}

function argvFaults(where: string, argv: readonly string[], args: CommandTemplate["args"]): readonly string[] {
  const [executable = "", ...programArguments] = argv;
  const program = executable.split("/").at(-1) ?? "";
  const faults = argv.flatMap((element) => unknownNames(where, element, args));
  if (!executable.startsWith("/") || executable.split("/").includes("..") || placeholdersOf(executable).length > 0)
    faults.push(`${where}: the program is no absolute path`);
  if (launchers.has(program)) faults.push(`${where}: ${program} starts other programs; name that program itself`);
  if (interpreters.test(program)) {
    const at = programArguments.findIndex((element) => !element.startsWith("-"));
    const before = at === -1 ? programArguments : programArguments.slice(0, at + 1);
    const inline = shells.test(program) ? inlineShell : inlineCode;
    if (before.some((element) => inline.test(element))) faults.push(`${where}: ${program} with code in its arguments`);
    if (programArguments[at]?.startsWith("/") !== true || before.some((element) => placeholdersOf(element).length > 0))
      faults.push(`${where}: ${program} needs a script that is an absolute path, without placeholders up to it`);
  }
  const dangerous = Object.hasOwn(dangerousOptions, program) ? dangerousOptions[program] : undefined;
  const option = dangerous === undefined ? undefined : programArguments.find((element) => dangerous.test(element));
  if (option !== undefined) faults.push(`${where}: ${program} ${option.split("=")[0] ?? ""} starts other programs or deletes`);
  const end = programArguments.indexOf("--");
  for (const [index, element] of programArguments.entries()) {
    const [first] = placeholdersOf(element);
    const type = first === undefined || !element.startsWith(`{${first}}`) ? undefined : args[first];
    if (type?.kind === "pattern" && type.leadingDash && (end === -1 || index < end))
      faults.push(`${where}: ${first ?? ""} may begin with a dash and stands before "--"`);
  }
  return faults;
}

function unknownNames(where: string, text: string, args: CommandTemplate["args"]): string[] {
  return placeholdersOf(text).flatMap((name) => (Object.hasOwn(args, name) ? [] : [`${where}: {${name}} is no argument`]));
}
