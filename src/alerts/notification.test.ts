import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { type Notification, newestPerFingerprint, notificationCaps, parseNotification } from "./notification.ts";

const receivedAt = Date.UTC(2026, 10, 23, 6);
const fixtures = join(import.meta.dirname, "fixtures");

function anAlertBody(fields: object = {}): object {
  return {
    status: "firing",
    labels: { alertname: "LLMBudgetBurnFast" },
    annotations: {},
    startsAt: "2026-11-23T05:00:00Z",
    endsAt: "0001-01-01T00:00:00Z",
    generatorURL: "http://prometheus/graph",
    fingerprint: "c1acb3495e10a2ff",
    ...fields,
  };
}

function aBody(fields: object = {}): object {
  return { version: "4", groupKey: "{}:{}", receiver: "runbookd", truncatedAlerts: 0, alerts: [anAlertBody()], ...fields };
}

function accepted(body: unknown): Notification {
  const parsed = parseNotification(body, receivedAt);
  if (!parsed.ok) throw new Error(parsed.issues.join("\n"));
  return parsed.notification;
}

function issues(body: unknown): readonly string[] {
  const parsed = parseNotification(body, receivedAt);
  return parsed.ok ? [] : parsed.issues;
}

const withLabels = (labels: unknown) => aBody({ alerts: [anAlertBody({ labels })] });

describe("recorded notifications of Alertmanager 0.25", () => {
  const files = readdirSync(fixtures).filter((file) => file.startsWith("alertmanager-") && file.endsWith(".good.json"));

  it("are eleven", () => {
    expect(files).toHaveLength(11);
  });

  it.each(files)("%s is accepted with every alert", (file) => {
    const recorded: { body: { alerts: { status: string; fingerprint: string }[]; truncatedAlerts: number } } = JSON.parse(
      readFileSync(join(fixtures, file), "utf8"),
    );
    const { body } = recorded;
    const notification = accepted(body);
    expect(notification.alerts.map(({ alert }) => [alert.status, alert.fingerprint])).toEqual(
      body.alerts.map(({ status, fingerprint }) => [status, fingerprint]),
    );
    expect(notification.alerts.filter(({ alert }) => (alert.status === "resolved") !== (alert.endsAt !== undefined))).toEqual([]);
    expect(notification.truncatedAlerts).toBe(body.truncatedAlerts);
  });
});

/** Written by hand after the documented body; https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/ */
describe("notifications of Grafana Alerting", () => {
  const checkout = { status: "firing", sender: "grafana", fingerprint: "c6eadffa33fcdf37" };
  const began = Date.UTC(2026, 10, 23, 4, 51, 3, 157);
  it.each([
    ["grafana-01-firing-values", [{ ...checkout, startsAt: began, labels: { alertname: "LLMBudgetBurnFast", budget: "checkout" } }]],
    ["grafana-02-firing-value-string-only", [checkout]],
    ["grafana-03-resolved", [{ ...checkout, status: "resolved", endsAt: Date.UTC(2026, 10, 23, 5, 2, 13, 157) }]],
    ["grafana-04-mixed-images", [checkout, { status: "resolved", labels: { budget: "search" } }]],
    ["grafana-05-no-data", [{ labels: { alertname: "DatasourceNoData", rulename: "LLMBudgetBurnFast" } }]],
  ])("%s is accepted with every alert, which says who sent it", (name, alerts) => {
    const recorded: { body: unknown } = JSON.parse(readFileSync(join(fixtures, `${name}.good.json`), "utf8"));
    const received = accepted(recorded.body).alerts;
    expect(received.map(({ clockFault }) => clockFault)).toEqual(alerts.map(() => undefined));
    expect(received.map(({ alert }) => alert)).toMatchObject(alerts);
  });

  it("are all that there are fixtures of", () => {
    expect(readdirSync(fixtures).filter((file) => file.startsWith("grafana-"))).toHaveLength(5);
  });

  it("name no sender when Alertmanager sent them", () => {
    expect(accepted(aBody()).alerts[0]?.alert).not.toHaveProperty("sender");
  });
});

describe("version and shape", () => {
  it.each([
    ["another version", aBody({ version: "3" })],
    ["no version", aBody({ version: undefined })],
    ["version 1 without Grafana's orgId", aBody({ version: "1" })],
    ["no alerts", aBody({ alerts: undefined })],
    ["alerts that are no list", aBody({ alerts: {} })],
    ["null", null],
    ["a list", []],
    ["a text", "x"],
  ])("refuses %s and says where", (_name, body) => {
    expect(issues(body).length).toBeGreaterThan(0);
  });

  it("names the field and what would be accepted", () => {
    expect(issues(aBody({ version: "3" }))[0]).toContain('version: expected "4"');
  });

  it("reads alerts whatever the fields around them hold", () => {
    const odd = { groupKey: "k".repeat(1_000_000), receiver: null, truncatedAlerts: -1, commonLabels: 7, externalURL: null };
    expect(accepted(aBody(odd))).toMatchObject({ receiver: "", truncatedAlerts: 0, alerts: [{}], unreadable: [] });
  });

  it("drops fields it does not know", () => {
    expect(accepted(aBody({ notification_reason: "first notification", routeLabels: {} })).alerts).toHaveLength(1);
  });

  it("accepts Grafana Alerting's webhook, a superset with its own version", () => {
    const alert = anAlertBody({ startsAt: "2026-11-23T07:51:03.157076+02:00", silenceURL: "https://grafana/silence", values: { B: 44.2 } });
    const [received] = accepted(aBody({ version: "1", orgId: 1, title: "[FIRING:1]", state: "alerting", alerts: [alert] })).alerts;
    expect(received?.alert.startsAt).toBe(Date.parse("2026-11-23T05:51:03.157Z"));
  });

  it("accepts a notification without alerts", () => {
    expect(accepted(aBody({ alerts: [] })).alerts).toEqual([]);
  });

  it.each(["active", "wait", "meta", "a:b", "0:1", "123", "{x}*?"])("accepts the fingerprint %s as it stands", (fingerprint) => {
    expect(accepted(aBody({ alerts: [anAlertBody({ fingerprint })] })).alerts[0]?.alert.fingerprint).toBe(fingerprint);
  });
});

describe("labels and annotations are data", () => {
  const hostile = [
    "; rm -rf / #",
    "$(curl evil)",
    "`id`",
    "%0a",
    "a && b | c",
    "line\nbreak",
    "\u2028",
    "\uFEFFbom",
    "\u202Eoverride",
    "zero\u200Bwidth",
    "{{constructor}}",
  ];

  it.each(hostile)("keeps %j as it is", (value) => {
    expect(accepted(withLabels({ alertname: value })).alerts[0]?.alert.labels).toEqual({ alertname: value });
  });

  it("keeps names that JavaScript's prototypes have as plain data", () => {
    const labels: unknown = JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}');
    const kept = accepted(withLabels(labels)).alerts[0]?.alert.labels ?? {};
    expect(Object.entries(kept)).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
      ["toString", "c"],
    ]);
    expect(Object.getPrototypeOf(kept)).toBe(Object.prototype);
  });

  it("is not polluted by a body", () => {
    const body: unknown = JSON.parse(
      `{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}},${JSON.stringify(aBody()).slice(1)}`,
    );
    accepted(body);
    expect("admin" in {}).toBe(false);
  });

  it.each([
    ["a value of 64 kB", { alertname: "x".repeat(65_536) }],
    ["1,000 labels", Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`l${index}`, "x"]))],
    ["a name of 2,000 characters", { [`n${"x".repeat(2000)}`]: "x" }],
  ])("keeps labels and annotations with %s whole", (_name, fields) => {
    const [received] = accepted(aBody({ alerts: [anAlertBody({ labels: fields, annotations: fields })] })).alerts;
    expect(received?.alert).toMatchObject({ labels: fields, annotations: fields });
  });
});

describe("one alert that cannot be used", () => {
  const oddAlerts: readonly (readonly [string, unknown, string])[] = [
    ["an unknown status", anAlertBody({ status: "weird" }), "status"],
    ["an empty fingerprint", anAlertBody({ fingerprint: "" }), "fingerprint"],
    ["a fingerprint of 10 kB", anAlertBody({ fingerprint: "f".repeat(10_000) }), "fingerprint"],
    ["a time that is none", anAlertBody({ startsAt: "soon" }), "startsAt: expected an RFC 3339 time"],
    ["a month that is none", anAlertBody({ startsAt: "2026-13-01T00:00:00Z" }), "startsAt"],
    ["NUL in a value", anAlertBody({ labels: { alertname: "a\0b" } }), "labels"],
    ["NUL in a name", anAlertBody({ labels: { "a\0b": "x" } }), "labels"],
    ["an empty name", anAlertBody({ labels: { "": "x" } }), "labels"],
    ["a number as a label", anAlertBody({ labels: { alertname: 1 } }), "labels: expected text without NUL as the value of alertname"],
    ["a list of labels", anAlertBody({ labels: ["alertname"] }), "labels"],
    ["no labels", anAlertBody({ labels: null }), "labels"],
    ["an end that is none", anAlertBody({ status: "resolved", endsAt: 7 }), "endsAt"],
    ["nothing in it", {}, "and 1 more"],
    ["null in its place", null, "alert"],
    ["a text in its place", "alert", "alert"],
    ["a list in its place", [[]], "alert"],
  ];

  it.each(oddAlerts)("for %s is named, and costs no other", (_name, odd, place) => {
    const { alerts, unreadable } = accepted(aBody({ alerts: [anAlertBody(), odd, anAlertBody({ fingerprint: "f2" })] }));
    expect(alerts.map(({ alert }) => alert.fingerprint)).toEqual(["c1acb3495e10a2ff", "f2"]);
    expect(unreadable).toEqual([{ fingerprint: expect.any(String), reason: expect.stringContaining(place) }]);
    expect((unreadable[0]?.fingerprint ?? "").length).toBeLessThanOrEqual(notificationCaps.fingerprintCharacters);
  });

  it.each([
    ["no annotations", { annotations: null }],
    ["no generatorURL", { generatorURL: null }],
    ["a generatorURL of 100 kB", { generatorURL: `http://p/${"x".repeat(100_000)}` }],
    ["a forecast of its end that is no time", { endsAt: "later" }],
  ])("is used when it only has %s", (_name, fields) => {
    expect(accepted(aBody({ alerts: [anAlertBody(fields)] }))).toMatchObject({ alerts: [{}], unreadable: [] });
  });

  it("is never the price of another, whatever a body's alerts hold", () => {
    const sound = fc.record({
      name: fc.string({ minLength: 1 }).filter((name) => !name.includes("\0")),
      value: fc.string({ size: "large" }).map((text) => text.replaceAll("\0", "")),
    });
    const odd = fc.oneof(
      fc.constantFrom(...oddAlerts.map(([, alert]) => alert)),
      fc.record({ fingerprint: fc.anything(), labels: fc.anything(), annotations: fc.anything(), startsAt: fc.anything() }),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.record({ sound }), fc.record({ odd })), { maxLength: 20 }), (items) => {
        const alerts = items.map((item, index) =>
          "sound" in item
            ? anAlertBody({ fingerprint: `sound-${index}`, labels: Object.fromEntries([[item.sound.name, item.sound.value]]) })
            : item.odd,
        );
        const { alerts: read, unreadable } = accepted(aBody({ alerts }));
        expect(read.length + unreadable.length).toBe(items.length);
        for (const [index, item] of items.entries()) {
          if (!("sound" in item)) continue;
          const { alert } = read.find((one) => one.alert.fingerprint === `sound-${index}`) ?? {};
          expect(Object.entries(alert?.labels ?? {})).toEqual([[item.sound.name, item.sound.value]]);
        }
      }),
    );
  });
});

describe("times", () => {
  const one = (fields: object) => accepted(aBody({ alerts: [anAlertBody(fields)] })).alerts[0];

  it("reads nanoseconds and lets a firing alert have no end, whatever the sender forecasts", () => {
    const received = one({ startsAt: "2026-11-23T05:00:00.123456789Z", endsAt: "2026-11-23T07:00:00Z" });
    expect(received?.alert).toMatchObject({ startsAt: Date.UTC(2026, 10, 23, 5, 0, 0, 123) });
    expect(received?.alert.endsAt).toBeUndefined();
  });

  it("accepts a start in 1970", () => {
    expect(one({ startsAt: "1970-01-01T00:00:00Z" })).toEqual({ alert: expect.objectContaining({ startsAt: 0 }) });
  });

  it("flags a start in 2099 and uses the time of receipt", () => {
    const received = one({ startsAt: "2099-01-01T00:00:00Z" });
    expect(received?.alert.startsAt).toBe(receivedAt);
    expect(received?.clockFault).toContain("ahead of ours");
  });

  it("trusts a start that is less than five minutes ahead", () => {
    expect(one({ startsAt: "2026-11-23T06:04:59Z" })?.clockFault).toBeUndefined();
  });

  it("gives a resolved alert without an end the time of receipt", () => {
    expect(one({ status: "resolved" })?.alert.endsAt).toBe(receivedAt);
  });
});

describe("one fingerprint twice in one notification", () => {
  const firing = anAlertBody();
  const resolvedLater = anAlertBody({ status: "resolved", endsAt: "2026-11-23T05:30:00Z" });
  const firingAgain = anAlertBody({ startsAt: "2026-11-23T05:45:00Z" });

  it.each([
    ["a resolve after the firing", [firing, resolvedLater], "resolved"],
    ["the same in the other order", [resolvedLater, firing], "resolved"],
    ["a firing after the resolve", [resolvedLater, firingAgain], "firing"],
    ["a resolve at the moment of the firing", [firing, anAlertBody({ status: "resolved", endsAt: "2026-11-23T05:00:00Z" })], "resolved"],
  ])("%s: the newest speaks", (_name, alerts, status) => {
    const newest = newestPerFingerprint(accepted(aBody({ alerts })).alerts);
    expect(newest.map(({ alert }) => alert.status)).toEqual([status]);
  });
});
