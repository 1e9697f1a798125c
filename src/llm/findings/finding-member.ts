import { type SecurityFinding, type SeverityClass, severityClasses } from "../../../packages/sdk/src/wire/security-findings.ts";
import { callsForContainment } from "./security-finding.ts";
import type { SecurityFindingFilter, SeriousFinding } from "./security-finding-store.ts";

/** Follows the state of an open finding that calls for switching its feature off. */
const containMark = " contain";

/** The members of an index, `open` or `ended`. */
export type FindingPlace = "open" | "ended";

/** What an index says of one finding. */
export interface FindingMember {
  readonly id: string;
  readonly feature: string;
  readonly source: string;
  readonly state: string;
  /** The class that an open finding counts under; undefined of an ended one. */
  readonly class: SeverityClass | undefined;
  /** Whether an open finding calls for switching its feature off. */
  readonly contain: boolean;
}

/** A time within a member: as text in the same order as its number. */
export function memberTime(at: number): string {
  return String(at).padStart(15, "0");
}

/** Rank of a class within a member; the gravest is the greatest. */
export function memberRank(severityClass: SeverityClass): string {
  return String(severityClasses.length - severityClasses.indexOf(severityClass));
}

/** The end of a member. Ids, features, sources and states have no blanks. */
export function memberLabel(finding: Pick<SecurityFinding, "id" | "feature" | "source" | "state" | "verdict">): string {
  const { id, feature, source, state } = finding;
  return ` ${id} ${feature} ${source} ${state}${state === "open" && callsForContainment(finding) ? containMark : ""}`;
}

/** undefined: the text is no member. */
export function parseMember(text: string): FindingMember | undefined {
  const [, rank, id, feature, source, state, mark] = /^(\d)\d{15} (\S+) (\S+) (\S+) (\S+)( contain)?$/.exec(text) ?? [];
  if (id === undefined || feature === undefined || source === undefined || state === undefined) return undefined;
  const severityClass = severityClasses.find((one) => memberRank(one) === rank);
  return { id, feature, source, state, class: severityClass, contain: mark === containMark };
}

/** Empty: the text is no member of a finding that is open. */
export function parseSerious(text: string): readonly SeriousFinding[] {
  const member = parseMember(text);
  if (member?.class === undefined) return [];
  const { id, class: severityClass, feature, source, contain } = member;
  return [{ id, class: severityClass, feature, source, contain }];
}

/** Whether findings with these values are asked for. */
export function isAskedFor(
  { feature, source, state }: Pick<FindingMember, "feature" | "source" | "state">,
  filter: SecurityFindingFilter,
): boolean {
  return (
    (filter.feature === undefined || filter.feature === feature) &&
    (filter.source === undefined || filter.source === source) &&
    (filter.state === undefined || filter.state === state)
  );
}

/** Indexes that may hold what is asked for, in the order of a list. */
export function placesOf({ state }: SecurityFindingFilter): readonly FindingPlace[] {
  if (state === undefined) return ["open", "ended"];
  return state === "open" ? ["open"] : ["ended"];
}

/** Where a page ended, as text that tells its reader nothing. */
export function writeCursor(place: FindingPlace, member: string): string {
  return Buffer.from(`${place} ${member}`).toString("base64url");
}

/** undefined: the text is no cursor. */
export function readCursor(cursor: string): { readonly place: FindingPlace; readonly member: string } | undefined {
  const text = Buffer.from(cursor, "base64url").toString();
  const place = text.startsWith("open ") ? "open" : text.startsWith("ended ") ? "ended" : undefined;
  if (place === undefined) return undefined;
  const member = text.slice(place.length + 1);
  return parseMember(member) === undefined ? undefined : { place, member };
}
