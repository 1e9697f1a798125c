import type { Command } from "commander";

/** The text of every command's help, as one document. */
export function renderCommandReference(program: Command): string {
  const sections = program.commands
    // A group that does something itself has options.
    .flatMap((command) => (command.commands.length === 0 || command.options.length > 0 ? [command, ...command.commands] : command.commands))
    .map(renderCommand);
  return `# Commands

Generated from the commands by \`npm run docs\`.

Every command answers 0 when it is done, 1 when the answer is no, 2 to wrong usage and 78 when the configuration is refused. A process that serves ends with 70 when its own work held its event loop up for 5 s at once, or for 20 s of 30; a machine that stood still, or gave it no processor, does not count. \`--json\` prints one JSON document.
Colour is for terminals, and not when \`NO_COLOR\` is set. Commands that talk to a running runbookd find it by \`--url\` or \`RUNBOOKD_URL\` (default \`http://127.0.0.1:9097\`)
and show the token in \`RUNBOOKD_TOKEN\`, or the admin token that \`runbookd up\` left in its data folder.

${sections.join("\n")}`;
}

function renderCommand(command: Command): string {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text), getOutHelpWidth: () => 100, getOutHasColors: () => false });
  command.outputHelp();
  const parent = command.parent?.parent === null ? "" : `${command.parent?.name() ?? ""} `;
  return `## runbookd ${parent}${command.name()}\n\n\`\`\`text\n${help.trim()}\n\`\`\`\n`;
}
