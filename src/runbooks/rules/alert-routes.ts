import { isMap, isScalar, isSeq, LineCounter, parseDocument, type YAMLMap } from "yaml";
import type { Diagnostic, Matcher, Position } from "../../../packages/sdk/src/wire/runbooks.ts";
import { matchesValue } from "../../core/matcher.ts";
import { readMatchers } from "../../core/parse-matchers.ts";
import type { AlertRule, TextFile } from "./alert-rules.ts";

interface Route {
  readonly position: Position;
  readonly receiver: string | undefined;
  readonly matchers: readonly Matcher[];
  readonly isLast: boolean;
  readonly routes: readonly Route[];
}

interface RouteFault {
  readonly rule: string;
  readonly at: { readonly file: string; readonly position: Position };
  readonly message: string;
  readonly accepted: string;
}

const webhookPath = "/webhooks/alertmanager";

/** Alerts that never reach our webhook, and routes of an Alertmanager configuration that nothing reaches. */
export function checkRoutes(file: TextFile, rules: readonly AlertRule[]): readonly Diagnostic[] {
  const counter = new LineCounter();
  const document = parseDocument(file.source, { lineCounter: counter, prettyErrors: false, logLevel: "silent" });
  const diagnostics: Diagnostic[] = [];
  const positionAt = (offset: number): Position => {
    const { line, col } = counter.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const report = ({ rule, at, message, accepted }: RouteFault) => {
    diagnostics.push({ file: at.file, position: at.position, severity: "error", rule, message, accepted });
  };
  for (const error of document.errors)
    report({
      rule: "alertmanager-file",
      at: { file: file.file, position: positionAt(error.pos[0]) },
      message: error.message,
      accepted: "a file that amtool accepts",
    });
  const ours = webhookReceivers(document.get("receivers", true));
  const root = document.get("route", true);
  const start = { file: file.file, position: { line: 1, column: 1 } };
  if (ours.size === 0)
    report({
      rule: "no-webhook-receiver",
      at: start,
      message: "No receiver calls runbookd.",
      accepted: `a receiver with a \`webhook_configs\` url that ends in \`${webhookPath}\``,
    });
  if (!isMap(root)) {
    report({ rule: "alertmanager-file", at: start, message: "There is no `route`.", accepted: "a `route` with a `receiver`" });
    return diagnostics;
  }
  const tree = readRoute(root, undefined, {
    positionAt,
    fail: (at, message, accepted) => {
      report({ rule: "alertmanager-file", at: { file: file.file, position: positionAt(at) }, message, accepted });
    },
  });
  reportUnreachable(tree, file.file, report);
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

function webhookReceivers(node: unknown): ReadonlySet<string> {
  if (!isSeq(node)) return new Set();
  return new Set(
    node.items.flatMap((receiver): string[] => {
      if (!isMap(receiver)) return [];
      const [name, hooks] = [receiver.get("name"), receiver.get("webhook_configs", true)];
      const calls = isSeq(hooks) && hooks.items.some((hook) => isMap(hook) && isOurUrl(hook.get("url")));
      return calls && typeof name === "string" ? [name] : [];
    }),
  );
}

function isOurUrl(url: unknown): boolean {
  return typeof url === "string" && url.replace(/\/$/u, "").endsWith(webhookPath);
}

interface RouteReader {
  readonly positionAt: (offset: number) => Position;
  readonly fail: (offset: number, message: string, accepted: string) => void;
}

function readRoute(map: YAMLMap, inherited: string | undefined, { positionAt, fail }: RouteReader): Route {
  const receiver = map.get("receiver");
  const receiverName = typeof receiver === "string" ? receiver : inherited;
  const matchers: Matcher[] = [];
  const list = map.get("matchers", true);
  for (const item of isSeq(list) ? list.items : []) {
    if (!isScalar(item)) continue;
    const parsed = readMatchers(String(item.value));
    if (parsed.ok) matchers.push(...parsed.matchers);
    else fail((item.range?.[0] ?? 0) + (item.type === "PLAIN" ? 0 : 1) + parsed.offset, parsed.message, parsed.accepted);
  }
  for (const [key, op] of [
    ["match", "="],
    ["match_re", "=~"],
  ] as const) {
    const old = map.get(key, true);
    for (const pair of isMap(old) ? old.items : []) {
      if (isScalar(pair.key) && isScalar(pair.value)) matchers.push({ label: String(pair.key.value), op, value: String(pair.value.value) });
    }
  }
  const children = map.get("routes", true);
  return {
    position: positionAt(map.range?.[0] ?? 0),
    receiver: receiverName,
    matchers,
    isLast: map.get("continue") !== true,
    routes: (isSeq(children) ? children.items : []).flatMap((child) =>
      isMap(child) ? [readRoute(child, receiverName, { positionAt, fail })] : [],
    ),
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
