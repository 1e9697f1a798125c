/** What somebody wants done. */
export interface Ticket {
  readonly id: string;
  readonly title: string;
  readonly body: string;
}

const subjects = [
  "login page",
  "invoice export",
  "search index",
  "retry queue",
  "image upload",
  "audit log",
  "price filter",
  "mail footer",
];
const wishes = [
  "fails for empty input",
  "is slow for large accounts",
  "ignores the time zone",
  "shows a stale value",
  "loses the second page",
];

/** The n-th ticket (from 1); always the same for the same number. */
export function ticketOf(number: number): Ticket {
  const subject = subjects[number % subjects.length] ?? "page";
  const wish = wishes[(number * 3) % wishes.length] ?? "fails";
  return {
    id: `TICKET-${number}`,
    title: `The ${subject} ${wish}`,
    body: `Reported by a customer: the ${subject} ${wish}. It began with the last release. Expected: it works as the manual says, page ${(number * 7) % 90}.`,
  };
}
