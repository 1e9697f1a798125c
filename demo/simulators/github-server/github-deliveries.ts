import { createHmac } from "node:crypto";
import type { GitHubQuirks } from "./github-quirks.ts";

/** Where events are sent. */
export interface GitHubWebhook {
  readonly url: string;
  readonly secret: string;
}

/** One event as it was sent, or was to be sent. */
export interface GitHubDelivery {
  readonly guid: string;
  readonly event: string;
  readonly body: string;
  /** Statuses of the answers in order; empty while it was never sent. */
  readonly statuses: readonly number[];
}

/** Sends events, signed as GitHub signs them. */
export interface GitHubDeliveries {
  readonly list: readonly GitHubDelivery[];
  /** Resolves when the event has been answered, was lost or is held. */
  send(event: string, payload: object): Promise<void>;
  /** Sends what is held, first to last or the other way round. */
  release(order?: "kept" | "reversed"): Promise<void>;
  /** Sends one again with its own GUID, as a person does in GitHub's list of deliveries. */
  redeliver(guid: string): Promise<void>;
}

interface MutableDelivery extends GitHubDelivery {
  readonly statuses: number[];
}

/** `quirks` are read at every event. GUIDs count up. */
export function createGitHubDeliveries(webhook: GitHubWebhook | undefined, quirks: GitHubQuirks): GitHubDeliveries {
  const list: MutableDelivery[] = [];
  let held: MutableDelivery[] = [];

  const post = async (delivery: MutableDelivery): Promise<void> => {
    if (webhook === undefined) return;
    const hmac = (algorithm: string) => `${algorithm}=${createHmac(algorithm, webhook.secret).update(delivery.body).digest("hex")}`;
    const response = await fetch(webhook.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/0000000",
        "x-github-event": delivery.event,
        "x-github-delivery": delivery.guid,
        ...(quirks.signedWith !== "nothing" && { "x-hub-signature": hmac("sha1") }),
        ...(quirks.signedWith === "sha256" && { "x-hub-signature-256": hmac("sha256") }),
      },
      body: delivery.body,
    });
    await response.arrayBuffer();
    delivery.statuses.push(response.status);
  };

  return {
    list,
    async send(event, payload) {
      const guid = `6f9619ff-8b86-4d01-b42d-${String(list.length + 1).padStart(12, "0")}`;
      const delivery = { guid, event, body: JSON.stringify(payload), statuses: [] };
      list.push(delivery);
      if (quirks.deliveriesLost) return;
      if (quirks.deliveriesHeld) return void held.push(delivery);
      await post(delivery);
      if (quirks.deliveriesDoubled) await post(delivery);
    },
    async release(order = "kept") {
      const waiting = order === "kept" ? held : held.toReversed();
      held = [];
      for (const delivery of waiting) await post(delivery);
    },
    async redeliver(guid) {
      const delivery = list.find((sent) => sent.guid === guid);
      if (delivery === undefined) throw new Error(`There is no delivery ${guid}.`);
      await post(delivery);
    },
  };
}
