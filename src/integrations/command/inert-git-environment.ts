import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { CommandStart } from "../../actions/command-runner.ts";
import { type GitSetting, gitConfigVariables, inertByName, inertSettings, irreplaceableNames } from "../../core/inert-git.ts";

/** The environment that a command is started with, or why it is not. */
export type GitEnvironment =
  | { readonly ok: true; readonly env: Readonly<Record<string, string>> }
  | { readonly ok: false; readonly reason: string };

type Command = Pick<CommandStart, "argv" | "env" | "cwd" | "signal">;

/** No protocol that is a command or a file, no question to a terminal, no editor, no pager. */
const variables: Readonly<Record<string, string>> = {
  GIT_ALLOW_PROTOCOL: "https:ssh",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_TERMINAL_PROMPT: "0",
  GIT_EDITOR: "false",
  GIT_SEQUENCE_EDITOR: "false",
  GIT_PAGER: "cat",
};

/** Programs that start the program behind them. */
const wrappers: readonly string[] = ["chrt", "env", "ionice", "nice", "nohup", "setpriv", "stdbuf", "taskset", "timeout"];

/** Options of git before its command whose value is the next argument. */
const optionsWithValue: readonly string[] = ["-C", "-c", "--git-dir", "--work-tree", "--namespace", "--config-env", "--attr-source"];

const maxRepositories = 200;
const maxDepth = 8;

/**
 * The environment of a command. For git it is such that no program is run that the configuration of the repository names, or that of a repository inside;
 * what the account's own configuration (of its HOME) names is kept. Other commands have theirs unchanged.
 */
export async function inertGitEnvironment(command: Command): Promise<GitEnvironment> {
  const { argv, env } = command;
  const at = argv.findIndex((text) => basename(text) === "git");
  if (at !== 0 && !(at > 0 && wrappers.includes(basename(argv[0] ?? "")))) return { ok: true, env };
  const plain = { ...variables, ...env };
  // Behind a wrapper an argument of a step may look like a path of git: it is looked up as a shell does.
  const git = at === 0 ? (argv[0] ?? "") : "git";
  const read = async (args: readonly string[], cwd = command.cwd) =>
    readGit({ git, args, cwd, env: withSettings(plain, inertByName), signal: command.signal });
  const options = globalOptions(argv.slice(at + 1));
  const listed = await read([...options, ...listing]);
  if (listed === undefined) return { ok: false, reason: "the configuration of its repository cannot be read" };
  const listedSettings = parseListing(listed);
  // Before 2.31 git knows no settings in its environment, and would run with those of the repository.
  if (!listedSettings.some(({ scope, name }) => scope === "command" && name === "core.hookspath"))
    return { ok: false, reason: "this git takes no settings from its environment; 2.31 or newer is needed" };
  const inside = await namesInside(read, options);
  const names = [...new Set([...listedSettings.flatMap(({ scope, name }) => (isRepository(scope) ? [name] : [])), ...inside])];
  const harmful = irreplaceableNames(names);
  if (harmful.length > 0)
    return { ok: false, reason: `the configuration of its repository names what cannot be made harmless: ${harmful.join(", ")}` };
  const replaced: readonly GitSetting[] = [...inertByName, ...inertSettings(names, "fail")];
  const keys = new Set(replaced.map(([key]) => key.toLowerCase()));
  const kept = listedSettings.flatMap(({ scope, name, value }): readonly GitSetting[] =>
    isAccount(scope) && keys.has(name.toLowerCase()) && !leadsIntoRepository.test(name) ? [[name, value]] : [],
  );
  return { ok: true, env: withSettings(plain, [...replaced, ...kept]) };
}

const listing: readonly string[] = ["config", "--null", "--show-scope", "--list"];

interface Listed {
  readonly scope: string;
  readonly name: string;
  readonly value: string;
}

const isAccount = (scope: string): boolean => scope === "system" || scope === "global";
/** `command` is what the environment and the template's own options say. */
const isRepository = (scope: string): boolean => !isAccount(scope) && scope !== "command";

/** A folder that an account names for hooks may be one of each repository. */
const leadsIntoRepository = /^(?:core\.(?:hookspath|fsmonitor)|submodule\.recurse)$/i;

function parseListing(text: string): readonly Listed[] {
  const fields = text.split("\0");
  return Array.from({ length: Math.floor(fields.length / 2) }, (_, index) => {
    const [scope = "", setting = ""] = fields.slice(2 * index, 2 * index + 2);
    const end = setting.indexOf("\n");
    return { scope, name: end === -1 ? setting : setting.slice(0, end), value: end === -1 ? "true" : setting.slice(end + 1) };
  });
}

/** Names in the configurations of submodules: git runs itself there, for its status too. */
async function namesInside(
  read: (args: readonly string[], cwd?: string) => Promise<string | undefined>,
  options: readonly string[],
): Promise<readonly string[]> {
  const names: string[] = [];
  const addNames = (text: string | undefined): void => {
    for (const { scope, name } of parseListing(text ?? "")) if (isRepository(scope)) names.push(name);
  };
  const shared = (await read([...options, "rev-parse", "--path-format=absolute", "--git-common-dir"]))?.trim();
  if (shared === undefined || shared === "") return names;
  for (const config of await configsBelow(join(shared, "modules"))) addNames(await read([...listing, "--includes", "--file", config]));
  const top = (await read([...options, "rev-parse", "--show-toplevel"]))?.trim();
  const folders = top === undefined || top === "" ? [] : [top];
  for (let index = 0; index < folders.length && index < maxRepositories; index += 1) {
    const folder = folders[index] ?? "";
    if (index > 0) addNames(await read(listing, folder));
    const staged = (await read(["ls-files", "--stage", "-z"], folder)) ?? "";
    for (const line of staged.split("\0")) if (line.startsWith("160000 ")) folders.push(join(folder, line.slice(line.indexOf("\t") + 1)));
  }
  return names;
}

async function configsBelow(folder: string, depth = 0): Promise<readonly string[]> {
  const entries = depth > maxDepth ? [] : await readdir(folder, { withFileTypes: true }).catch(() => []);
  const below = await Promise.all(
    entries
      .filter((entry) => entry.isDirectory() && !["objects", "refs", "logs", "hooks", "info"].includes(entry.name))
      .map(async (entry) => configsBelow(join(folder, entry.name), depth + 1)),
  );
  return [
    ...entries.flatMap((entry) => (entry.name === "config" && !entry.isDirectory() ? [join(folder, entry.name)] : [])),
    ...below.flat(),
  ];
}

/** What comes before git's command. */
function globalOptions(args: readonly string[]): readonly string[] {
  let end = 0;
  while (end < args.length && args[end]?.startsWith("-") === true) end += optionsWithValue.includes(args[end] ?? "") ? 2 : 1;
  return args.slice(0, end);
}

/** Settings after those that the environment has already, which are the template's. */
function withSettings(env: Readonly<Record<string, string>>, settings: readonly GitSetting[]): Readonly<Record<string, string>> {
  const count = Number(env["GIT_CONFIG_COUNT"] ?? 0);
  const given = Array.from(
    { length: Number.isSafeInteger(count) && count > 0 && count < 1000 ? count : 0 },
    (_, index): GitSetting => [env[`GIT_CONFIG_KEY_${index}`] ?? "", env[`GIT_CONFIG_VALUE_${index}`] ?? ""],
  );
  return { ...env, ...gitConfigVariables([...settings, ...given]) };
}

/** What git prints; undefined when it fails. */
async function readGit({
  git,
  args,
  cwd,
  env,
  signal,
}: Pick<Command, "env" | "cwd" | "signal"> & { readonly git: string; readonly args: readonly string[] }): Promise<string | undefined> {
  return new Promise((resolveText) => {
    const settings = { cwd, env, signal, maxBuffer: 256 * 1024 * 1024, encoding: "utf8" } as const;
    execFile(git, args, settings, (error, stdout) => resolveText(error === null ? stdout : undefined));
  });
}
