import type { Finding } from "../../core/diagnosis.ts";
import { oneLine } from "../../core/one-line.ts";
import { exitCodes, paint, writeJson } from "../context.ts";
import { type CommandBody, flagOption } from "../define-command.ts";
import { examine } from "../doctor/examine.ts";
import { readConfigOrExplain } from "../read-config.ts";

/** `runbookd doctor`: looks at what runbookd depends on and says what to fix. */
export const doctorCommand: CommandBody = {
  examples: ["runbookd doctor", "PROMETHEUS_URL=http://127.0.0.1:9090 runbookd doctor --json"],
  async run(_args, invocation) {
    const { context } = invocation;
    const config = readConfigOrExplain(context);
    if (config === undefined) return exitCodes.refused;
    const findings = await examine(config, context);
    const faults = findings.filter((finding) => finding.verdict === "fault").length;
    if (flagOption(invocation, "json")) writeJson(context, { ok: faults === 0, findings });
    else {
      for (const finding of findings) {
        context.write(
          `${paint(context, colours[finding.verdict], finding.verdict.padEnd(7))}  ${finding.name}: ${oneLine(finding.detail)}\n`,
        );
        if (finding.fix !== undefined) context.write(`         ${oneLine(finding.fix)}\n`);
      }
    }
    return faults === 0 ? exitCodes.ok : exitCodes.no;
  },
};

const colours = { ok: "green", warning: "yellow", fault: "red" } as const satisfies Record<Finding["verdict"], string>;
