import type { SecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { FixSearch } from "./code-host.ts";

/** What a change that fixes one of these findings may name. Findings are reported by others, so that only ids and packages of them are used. */
export function fixSearchOf(
  findings: readonly Pick<SecurityFinding, "source" | "ref" | "weakness" | "location">[],
): Pick<FixSearch, "references" | "packages"> {
  return {
    references: distinct(findings.flatMap(({ source, ref, weakness }) => [weakness.cve, weakness.ghsa, referenceOf(source, ref)])),
    packages: distinct(findings.flatMap(({ location }) => packageNamesOf(location.package))),
  };
}

const maxNames = 200;

function distinct(texts: readonly (string | undefined)[]): readonly string[] {
  return [...new Set(texts.flatMap((text) => (text === undefined || text.length > 200 ? [] : [text])))].slice(0, maxNames);
}

/** An alert of GitHub has a number of its own among those of its kind; alone, or behind the repository, it would be taken for that of an issue. */
function referenceOf(source: string, ref: string): string {
  const kind = /^github-(code-scanning|secret-scanning|dependabot)$/.exec(source)?.[1];
  const number = /#(\d{1,10})$/.exec(ref)?.[1];
  return kind === undefined || number === undefined ? ref : `${kind}/${number}`;
}

/** As it is, and without the name of its registry and its version: `npm/lodash` and `lodash 4.17.20` are `lodash` where it is used. */
function packageNamesOf(written: string | undefined): readonly string[] {
  const name = written?.split(" ")[0] ?? "";
  const behind = /^[a-z]{2,20}\/(.+)$/i.exec(name)?.[1];
  return [name, behind ?? ""].filter((one) => one !== "");
}
