import { Document, isMap, isNode, isScalar, isSeq, LineCounter, type YAMLMap } from "yaml";
import type { Diagnostic, Matcher, Position } from "../../../packages/sdk/src/wire/runbooks.ts";
import { matchesValue } from "../../core/matcher.ts";
import { readClassicMatchers, readMatchers } from "../../core/parse-matchers.ts";
import { alertmanagerPath, type WebhookAddress, webhookAddress } from "../../core/webhook-address.ts";
import type { TextFile } from "../text-file.ts";
import type { AlertRule } from "./alert-rules.ts";
import { readGoYaml, textOf } from "./go-yaml.ts";

interface Route {
  readonly position: Position;
  readonly receiver: string | undefined;
  readonly matchers: readonly Matcher[];
  readonly isLast: boolean;
  /** Where it names times in which it is muted or active. */
  readonly times: readonly { readonly position: Position; readonly key: string; readonly name: string }[];
  readonly routes: readonly Route[];
}

interface RouteFault {
  /** Default: an error. */
  readonly severity?: Diagnostic["severity"];
  readonly rule: string;
  readonly at: { readonly file: string; readonly position: Position };
  readonly message: string;
  readonly accepted: string;
}

/** Alerts that never reach our webhook, and routes of an Alertmanager configuration that nothing reaches. */
export function checkRouting(file: TextFile, rules: readonly AlertRule[]): readonly Diagnostic[] {
  const counter = new LineCounter();
  const { documents, faults } = readGoYaml(file.source, counter);
  // Alertmanager reads one document.
  const document = documents[0] ?? new Document(null);
  const diagnostics: Diagnostic[] = [];
  const positionAt = (offset: number): Position => {
    const { line, col } = counter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const report = ({ severity = "error", rule, at, message, accepted }: RouteFault) => {
    diagnostics.push({ file: at.file, position: at.position, severity, rule, message, accepted });
  };
  for (const { offset, message } of faults)
    report({
      rule: "alertmanager-file",
      at: { file: file.file, position: positionAt(offset) },
      message,
      accepted: "a file that amtool accepts",
    });
  const hooks = webhooksOf(document.get("receivers", true));
  const ours = new Set(hooks.filter(({ address }) => address !== "other").map(({ receiver }) => receiver));
  for (const hook of hooks) {
    for (const { offset, ...what } of hookFaults(hook))
      report({ rule: "webhook", at: { file: file.file, position: positionAt(offset) }, ...what });
  }
  const root = document.get("route", true);
  const start = { file: file.file, position: { line: 1, column: 1 } };
  if (ours.size === 0)
    report({
      rule: "no-webhook-receiver",
      at: start,
      message: "No receiver calls runbookd.",
      accepted: `a receiver with a \`webhook_configs\` url that ends in \`${alertmanagerPath}\``,
    });
  if (!isMap(root)) {
    report({ rule: "alertmanager-file", at: start, message: "There is no `route`.", accepted: "a `route` with a `receiver`" });
    return diagnostics;
  }
  const tree = readRoute(root, undefined, {
    positionAt,
    fail: ({ offset, ...what }) => {
      report({ rule: "alertmanager-file", at: { file: file.file, position: positionAt(offset) }, ...what });
    },
  });
  reportUnreachable(tree, file.file, report);
  const always = alwaysOn(document);
  for (const route of routesOf(tree).filter(({ receiver }) => receiver !== undefined && ours.has(receiver)))
    for (const { position, key, name } of route.times) {
      const isMute = key === "mute_time_intervals";
      if (!isMute && always.has(name)) continue;
      report({
        severity: "warning",
        rule: "route-muted",
        at: { file: file.file, position },
        message: `The route to \`${route.receiver ?? ""}\` is ${isMute && always.has(name) ? "always muted" : `${isMute ? "muted in" : "active only in"} \`${name}\``}: alerts of that time start no run.`,
        accepted: "a route to runbookd without times; quiet hours belong to the routes that tell people",
      });
    }
  if (ours.size === 0) return diagnostics;
  for (const rule of rules) {
    const runbook = rule.labels["runbook"];
    if (runbook === undefined || runbook === "none") continue;
    if ([...reachable(tree, rule)].some((receiver) => ours.has(receiver))) continue;
    report({
      rule: "alert-not-routed",
      at: { file: rule.file, position: rule.position },
      message: `\`${rule.name}\` names the runbook \`${runbook}\` and no route of ${file.file} takes it to runbookd.`,
      accepted: `a route to ${[...ours].map((name) => `\`${name}\``).join(" or ")} that matches it, before any route without \`continue: true\` that does`,
    });
  }
  return diagnostics;
}

interface Webhook {
  readonly receiver: string;
  readonly map: YAMLMap;
  /** `hidden`: the file does not say where it goes. */
  readonly address: WebhookAddress;
}

function webhooksOf(receivers: unknown): readonly Webhook[] {
  return (isSeq(receivers) ? receivers.items : []).flatMap((receiver): readonly Webhook[] => {
    if (!isMap(receiver)) return [];
    const [name, hooks] = [textOf(receiver.get("name", true)), receiver.get("webhook_configs", true)];
    if (name === undefined || !isSeq(hooks)) return [];
    return hooks.items.flatMap((map) => (isMap(map) ? [{ receiver: name, map, address: addressOf(map) }] : []));
  });
}

function addressOf(map: YAMLMap): WebhookAddress {
  const url = map.get("url");
  if (map.has("url_file")) return "hidden";
  return typeof url === "string" ? webhookAddress(url) : "other";
}

type HookFault = Pick<RouteFault, "severity" | "message" | "accepted"> & { readonly offset: number };

function hookFaults({ receiver, map, address }: Webhook): readonly HookFault[] {
  if (address === "other") return [];
  const offset = map.range?.[0] ?? 0;
  const at = (key: string) => {
    const value = map.get(key, true);
    return isNode(value) ? (value.range?.[0] ?? offset) : offset;
  };
  const faults: HookFault[] = [];
  if (address === "hidden") {
    const message = `The address of a webhook of \`${receiver}\` is not in the file; it is taken for runbookd's.`;
    faults.push({ severity: "warning", offset, message, accepted: `a \`url\` that ends in \`${alertmanagerPath}\`` });
    return faults;
  }
  if (map.has("payload")) {
    const message = `The webhook of \`${receiver}\` sends a body of its own, which runbookd cannot read.`;
    faults.push({ offset: at("payload"), message, accepted: "no `payload`: Alertmanager's own body" });
  }
  if (map.get("send_resolved") === false) {
    const message = `The webhook of \`${receiver}\` does not send the end of an alert, so a run does not hear of it.`;
    faults.push({ severity: "warning", offset: at("send_resolved"), message, accepted: "`send_resolved: true`" });
  }
  const most = map.get("max_alerts");
  if (typeof most === "number" && most > 0) {
    const message = `The webhook of \`${receiver}\` leaves out all but ${most} of the alerts of a group.`;
    faults.push({ severity: "warning", offset: at("max_alerts"), message, accepted: "`max_alerts: 0`" });
  }
  return faults;
}

function routesOf(route: Route): readonly Route[] {
  return [route, ...route.routes.flatMap(routesOf)];
}

/** Names of the time intervals that hold at every moment. */
function alwaysOn(document: Document): ReadonlySet<string> {
  const names = ["time_intervals", "mute_time_intervals"].flatMap((key) => {
    const list = document.get(key, true);
    return (isSeq(list) ? list.items : []).flatMap((item): readonly string[] => {
      const intervals = isMap(item) ? item.get("time_intervals", true) : undefined;
      const name = isMap(item) ? textOf(item.get("name", true)) : undefined;
      return isSeq(intervals) && name !== undefined && intervals.items.some(isWholeDay) ? [name] : [];
    });
  });
  return new Set(names);
}

/** Whether an interval names no day, month or year, and no times but the whole day. */
function isWholeDay(interval: unknown): boolean {
  if (!isMap(interval) || interval.items.some(({ key }) => isScalar(key) && key.value !== "times" && key.value !== "location"))
    return false;
  const times = interval.get("times", true);
  if (!isSeq(times)) return true;
  return times.items.some(
    (time) => isMap(time) && textOf(time.get("start_time", true)) === "00:00" && textOf(time.get("end_time", true)) === "24:00",
  );
}

interface RouteReader {
  readonly positionAt: (offset: number) => Position;
  readonly fail: (fault: HookFault) => void;
}

function readRoute(map: YAMLMap, inherited: string | undefined, { positionAt, fail }: RouteReader): Route {
  const receiverName = textOf(map.get("receiver", true)) ?? inherited;
  const matchers: Matcher[] = [];
  const list = map.get("matchers", true);
  for (const item of isSeq(list) ? list.items : []) {
    if (!isScalar(item)) {
      const offset = isNode(item) ? (item.range?.[0] ?? 0) : 0;
      fail({ offset, message: "This matcher is no text.", accepted: 'a matcher such as `severity="critical"`' });
      continue;
    }
    const text = textOf(item) ?? "";
    const begin = (item.range?.[0] ?? 0) + (item.type === "PLAIN" ? 0 : 1);
    const parsed = readMatchers(text);
    // As Alertmanager does: what its new parser refuses, or reads otherwise, is read by the old one, and logged.
    const classic = readClassicMatchers(text);
    const read = classic.ok ? classic : parsed;
    if (read.ok) matchers.push(...read.matchers);
    if (parsed.ok && classic.ok && JSON.stringify(parsed.matchers) !== JSON.stringify(classic.matchers)) {
      const message = "Alertmanager reads this matcher by its old rules, which leave `\\t` and the like as they are.";
      fail({
        severity: "warning",
        offset: begin,
        message,
        accepted: 'a value in double quotes with no escapes but `\\\\`, `\\"` and `\\n`',
      });
    }
    if (!parsed.ok) {
      const { offset, message, accepted } = parsed;
      const note = read.ok ? " Alertmanager reads it by its old rules." : "";
      fail({ offset: begin + offset, message: `${message}${note}`, accepted, ...(read.ok && { severity: "warning" as const }) });
    }
  }
  for (const [key, op] of [
    ["match", "="],
    ["match_re", "=~"],
  ] as const) {
    const old = map.get(key, true);
    for (const pair of isMap(old) ? old.items : []) {
      const label = textOf(pair.key);
      if (label !== undefined && isScalar(pair.value)) matchers.push({ label, op, value: textOf(pair.value) ?? "" });
    }
  }
  const children = map.get("routes", true);
  const times = ["mute_time_intervals", "active_time_intervals"].flatMap((key) => {
    const names = map.get(key, true);
    return (isSeq(names) ? names.items : []).flatMap((name) =>
      isScalar(name) ? [{ position: positionAt(name.range?.[0] ?? 0), key, name: textOf(name) ?? "" }] : [],
    );
  });
  return {
    position: positionAt(map.range?.[0] ?? 0),
    receiver: receiverName,
    matchers,
    isLast: map.get("continue") !== true,
    times,
    routes: (isSeq(children) ? children.items : []).flatMap((child): readonly Route[] => {
      if (isMap(child)) return [readRoute(child, receiverName, { positionAt, fail })];
      const offset = isNode(child) ? (child.range?.[0] ?? 0) : 0;
      fail({ offset, message: "This is no route, so it is left out.", accepted: "a route with a `receiver` or `matchers`" });
      return [];
    }),
  };
}

function reportUnreachable(route: Route, file: string, report: (fault: RouteFault) => void): void {
  let taker: Route | undefined;
  for (const child of route.routes) {
    if (taker !== undefined) {
      report({
        rule: "route-unreachable",
        at: { file, position: child.position },
        message: `The route at line ${taker.position.line} takes every alert before this one.`,
        accepted: "this route before it, or `continue: true` there",
      });
    } else reportUnreachable(child, file, report);
    if (child.isLast && child.matchers.length === 0) taker ??= child;
  }
}

/** Receivers that an alert of the rule can reach; a label whose value is not known can have any. */
function reachable(route: Route, rule: AlertRule): ReadonlySet<string> {
  const receivers = new Set<string>();
  let isTaken = false;
  for (const child of route.routes) {
    const match = matchOf(child, rule);
    if (match === "no") continue;
    for (const receiver of reachable(child, rule)) receivers.add(receiver);
    if (match === "yes") isTaken = true;
    if (match === "yes" && child.isLast) return receivers;
  }
  if (!isTaken && route.receiver !== undefined) receivers.add(route.receiver);
  return receivers;
}

function matchOf(route: Route, rule: AlertRule): "yes" | "no" | "maybe" {
  let answer: "yes" | "maybe" = "yes";
  for (const matcher of route.matchers) {
    const value = staticValue(rule, matcher.label);
    if (value === undefined) answer = "maybe";
    else if (!matchesValue(matcher, value)) return "no";
  }
  return answer;
}

/** The value of a label in every alert of a rule, when that is certain; a label that the rule cannot produce is empty. */
export function staticValue(rule: AlertRule, label: string): string | undefined {
  if (label === "alertname") return rule.name;
  const written = rule.labels[label];
  if (written !== undefined) return written.includes("{{") ? undefined : written;
  return rule.produced === undefined || rule.produced.has(label) ? undefined : "";
}
