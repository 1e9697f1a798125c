/** Which beginnings of addresses are replaced, and by what; without slashes at their ends. */
export interface AddressChange {
  /** Of `runbook_url`. */
  readonly runbookUrl: { readonly from: string; readonly to: string };
  /** Of `dashboard_url`; absent: they stay. */
  readonly dashboardUrl?: { readonly from: string; readonly to: string };
}

/**
 * A rule file, or the test of one, in which the annotations `runbook_url` and `dashboard_url` begin with another address. Every other character stays:
 * comments, order and layout are the file's own. An address with another beginning, such as that of a wiki, stays too.
 */
export function replaceAddresses(text: string, { runbookUrl, dashboardUrl }: AddressChange): string {
  const changed = replaceIn(text, "runbook_url", runbookUrl);
  return dashboardUrl === undefined ? changed : replaceIn(changed, "dashboard_url", dashboardUrl);
}

function replaceIn(text: string, key: "runbook_url" | "dashboard_url", { from, to }: AddressChange["runbookUrl"]): string {
  const lines = new RegExp(`^([ \\t]*${key}:[ \\t]*["']?)(http[^\\r\\n]*)`, "gmu");
  return text.replaceAll(lines, (line, head: string, url: string) => {
    const behind = url.slice(from.length);
    return url.startsWith(from) && /^(?:[/?#"'\s]|$)/u.test(behind) ? `${head}${to}${behind}` : line;
  });
}
