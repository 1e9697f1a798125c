/** Name and value of a setting of git. */
export type GitSetting = readonly [string, string];

/**
 * A repository must not choose what git runs: no hook, no monitor, no helper that asks for a password, no transport command, no signing program, no editor,
 * no pager. What has a name in a repository's configuration (filters, merge drivers, aliases) is in {@link inertSettings}.
 */
export const inertByName: readonly GitSetting[] = [
  ["core.hooksPath", "/dev/null"],
  ["core.fsmonitor", "false"],
  ["core.sshCommand", "ssh"],
  ["core.askPass", ""],
  ["core.gitProxy", ""],
  ["core.pager", "cat"],
  ["core.editor", "false"],
  ["sequence.editor", "false"],
  ["core.alternateRefsCommand", ""],
  ["credential.helper", ""],
  ["gpg.program", "false"],
  ["gpg.openpgp.program", "false"],
  ["gpg.ssh.program", "false"],
  ["gpg.ssh.defaultKeyCommand", "false"],
  ["gpg.x509.program", "false"],
  ["interactive.diffFilter", "cat"],
  ["submodule.recurse", "false"],
  ["web.browser", "false"],
  ["help.browser", "false"],
  ["imap.tunnel", "false"],
];

/** Names of programs that a configuration may give, and what they are replaced by: a default of git, nothing, or a program that fails. */
const programs: readonly (readonly [RegExp, string])[] = [
  [/^filter\..*\.(?:clean|smudge|process)$/i, ""],
  [/^merge\..*\.driver$/i, "git merge-file --quiet %A %O %B"],
  [/^diff\..*\.textconv$/i, "cat"],
  [/^remote\..*\.receivepack$/i, "git-receive-pack"],
  [/^remote\..*\.uploadpack$/i, "git-upload-pack"],
  [/^submodule\..*\.update$/i, "checkout"],
  [/^credential\..*\.helper$/i, ""],
  [/^hook\..*\.command$/i, "true"],
  [/^hook\..*\.enabled$/i, "false"],
  [/^alias\./i, ""],
  [/^pager\./i, "false"],
  [/^core\..*command$/i, ""],
  [/^remote\..*\.vcs$/i, ""],
  [/^lfs\.standalonetransferagent$/i, ""],
  // A browser, a viewer or a tool is given by a command or by the path of a known one.
  [/^(?:browser|man|difftool|mergetool|guitool|lfs\.customtransfer)\..*\.(?:cmd|path)$/i, "false"],
  [/^(?:instaweb|sendemail)\b.*\.(?:browser|httpd|modulepath|smtpserver|sendmailcmd)$/i, "false"],
  [/^lfs\.extension\..*\.(?:clean|smudge)$/i, "false"],
  [/^diff\.external$/i, "false"],
  // What a later version of git may add is most likely called so.
  [/\.(?:[a-z]*(?:command|cmd|program|editor|helper|askpass|tunnel))$/i, "false"],
];

/** Names whose values add up, so that no later value replaces them, and files that are included when another branch or folder is there. */
const irreplaceable: readonly RegExp[] = [/^gc\.recentobjectshook$/i, /^includeif\..*\.path$/i];

/** Which files have a filter that is not run: written and read as they are, or refused by git. */
export type FilteredFiles = "pass" | "fail";

/** The settings that make every program harmless that a configuration with these names gives. They must come after all others. */
export function inertSettings(names: readonly string[], filtered: FilteredFiles): readonly GitSetting[] {
  return names.flatMap((name): readonly GitSetting[] => {
    if (inertByName.some(([fixed]) => fixed.toLowerCase() === name.toLowerCase())) return [];
    if (/^filter\..*\.required$/i.test(name)) return filtered === "pass" ? [[name, "false"]] : [];
    const [, value] = programs.find(([pattern]) => pattern.test(name)) ?? [];
    if (value === undefined) return [];
    const filter = /^(filter\..*)\.(?:clean|smudge|process)$/i.exec(name)?.[1];
    return filter === undefined || filtered === "pass"
      ? [[name, value]]
      : [
          [name, value],
          [`${filter}.required`, "true"],
        ];
  });
}

/** Of a configuration's names those that nothing can make harmless. */
export function irreplaceableNames(names: readonly string[]): readonly string[] {
  return names.filter((name) => irreplaceable.some((pattern) => pattern.test(name)));
}

/** Settings in the form of git's environment, which comes after every file. */
export function gitConfigVariables(settings: readonly GitSetting[]): Record<string, string> {
  return {
    GIT_CONFIG_COUNT: String(settings.length),
    ...Object.fromEntries(
      settings.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}
