import { leftOutByClients } from "./left-out-by-clients.ts";
import { type RecordedUsage, readingOf } from "./recorded-usage.ts";

/** The table of docs/client-libraries.md: one line per library and object. */
export function clientTable(calls: readonly RecordedUsage[]): string {
  const rows = new Map<string, RecordedUsage[]>();
  for (const call of calls) rows.set(`${call.library} ${call.reads}`, [...(rows.get(`${call.library} ${call.reads}`) ?? []), call]);
  const lines = [...rows.values()].map((group) => {
    const [{ library, version, reads } = { library: "", version: "", reads: "" }] = group;
    const of = (kind: string) => group.filter((call) => readingOf(call).kind === kind);
    const reasons = [...new Set(group.flatMap((call) => readingOf(call).reason ?? []))].map((reason) => `\`${reason}\``);
    const named = reasons.length === 0 ? "" : `, ${of("named").length} ${reasons.join(", ")}`;
    const other = of("other").length === 0 ? "" : `, ${of("other").length} left out`;
    const why = leftOutByClients.find((one) => one.library === library && one.reads === reads)?.why ?? "";
    return `| \`${library.replace(/^ai-\d$/, "ai")}\` ${version} | ${reads} | ${of("exact").length} of ${group.length} exact${named}${other} | ${why} |`;
  });
  return ["| library | what is reported | calls | what the library leaves out |", "|---|---|---|---|", ...lines].join("\n");
}
