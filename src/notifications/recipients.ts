import type { NotificationTarget } from "../core/notification-target.ts";

/** The address book: groups are configured, and nothing from an alert can name an address. */
export interface Recipients {
  /** Addresses of a group, or undefined when there is none of that name. */
  addresses(group: string): readonly string[] | undefined;
  /** Ids of what is told beside the addresses; empty when there is none. */
  targets(group: string): readonly string[];
  /** A target with its secrets, for the moment of sending. */
  target(group: string, id: string): NotificationTarget | undefined;
  readonly defaultGroup: string;
  /** Domain of the sender's address; the right side of every Message-ID. */
  readonly domain: string;
}
