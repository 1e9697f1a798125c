import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { oneLine } from "../../core/one-line.ts";
import { replaceAddresses } from "../../runbooks/rules/replace-addresses.ts";
import { exitCodes, writeJson } from "../context.ts";
import { type CommandBody, type CommandInvocation, flagOption, textOption } from "../define-command.ts";
import { readLocalSettings } from "../local-settings.ts";

/** `runbookd rules`: writes the alert rules with the addresses that people reach runbookd and Grafana at. */
export const rulesCommand: CommandBody = {
  examples: [
    "runbookd rules --public-url https://runbookd.example.com",
    "runbookd rules --public-url https://runbookd.example.com --grafana-url https://grafana.example.com --out build/alerts",
  ],
  options: [
    { flags: "--public-url <url>", description: "where people reach runbookd (RUNBOOKD_PUBLIC_URL)" },
    { flags: "--grafana-url <url>", description: "where people reach Grafana; absent: dashboard_url stays as it is" },
    { flags: "--from <url>", description: "the beginning of runbook_url that is replaced", default: "http://localhost:9097" },
    { flags: "--grafana-from <url>", description: "the beginning of dashboard_url that is replaced", default: "http://localhost:3000" },
    { flags: "--out <folder>", description: "write the files below this folder; absent: change them in place" },
    { flags: "--check", description: "write nothing; answer 1 when a file would change" },
  ],
  async run([folder = "alerts"], invocation) {
    const { context } = invocation;
    const place = resolve(context.workingDirectory, folder);
    if (!existsSync(place)) return refuse(invocation, `${oneLine(folder)} does not exist; accepted: a folder of rule files`);
    const addresses = readAddresses(invocation);
    if (typeof addresses === "string") return refuse(invocation, addresses);
    const out = textOption(invocation, "out");
    const check = flagOption(invocation, "check");
    const files = readdirSync(place, { recursive: true, encoding: "utf8" }).filter((name) => /\.ya?ml$/u.test(name));
    const changed = files.toSorted().flatMap((name) => {
      const text = readFileSync(join(place, name), "utf8");
      const written = replaceAddresses(text, addresses);
      const target = out === undefined ? join(place, name) : resolve(context.workingDirectory, out, name);
      if (!check && (written !== text || out !== undefined)) {
        mkdirSync(dirname(target), { recursive: true });
        writeFileSync(target, written);
      }
      return written === text ? [] : [join(out ?? folder, name)];
    });
    if (flagOption(invocation, "json")) writeJson(context, { changed, written: !check });
    else if (changed.length === 0) context.write("No address begins with what is replaced; nothing was changed.\n");
    else context.write(`${changed.map((name) => `${name}\n`).join("")}${check ? "would change\n" : ""}`);
    return check && changed.length > 0 ? exitCodes.no : exitCodes.ok;
  },
};

/** A text says what is wrong. */
function readAddresses(invocation: CommandInvocation): Parameters<typeof replaceAddresses>[1] | string {
  const publicUrl = textOption(invocation, "publicUrl") ?? readLocalSettings(invocation.context).publicUrl;
  if (publicUrl === undefined || publicUrl === "")
    return "No address: give --public-url or set RUNBOOKD_PUBLIC_URL, e.g. https://runbookd.example.com";
  const grafanaUrl = textOption(invocation, "grafanaUrl");
  const given = {
    "--public-url": publicUrl,
    "--from": textOption(invocation, "from") ?? "",
    "--grafana-from": textOption(invocation, "grafanaFrom") ?? "",
    ...(grafanaUrl !== undefined && { "--grafana-url": grafanaUrl }),
  };
  for (const [option, url] of Object.entries(given))
    if (!isBase(url)) return `${option} must be an http(s) address without credentials, query and fragment, got ${oneLine(url)}`;
  const base = (url: string) => url.replace(/\/+$/u, "");
  return {
    runbookUrl: { from: base(given["--from"]), to: base(publicUrl) },
    ...(grafanaUrl !== undefined && { dashboardUrl: { from: base(given["--grafana-from"]), to: base(grafanaUrl) } }),
  };
}

/** What can stand in YAML with and without quotes. */
function isBase(url: string): boolean {
  return /^https?:\/\/[\w.~:[\]%/-]+$/u.test(url) && URL.canParse(url);
}

function refuse({ context }: CommandInvocation, message: string): typeof exitCodes.usage {
  context.warn(`${message}\n`);
  return exitCodes.usage;
}
