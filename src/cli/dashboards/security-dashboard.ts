import type { Dashboard } from "@grafana/grafana-foundation-sdk/dashboard";
import { buildDashboard } from "./panels.ts";

const serious = 'severity_class=~"critical|high"';
/** Of the time that panels about a day look back over; as wide as the rules of this group are apart. */
const step = { range: "1d", everySeconds: 5 } as const;

/** Seconds of the last day in which an expression, which is 1 or 0, was 1. */
function secondsOf(expr: string): string {
  return `sum_over_time((${expr})[${step.range}:${step.everySeconds}s]) * ${step.everySeconds}`;
}

/** *Security*: what is open and for how long, whether its sources can be read, and whether what was switched off is off in every process. */
export function securityDashboard(): Dashboard {
  return buildDashboard({
    uid: "runbookd-security",
    title: "Security",
    description: "Open findings by class and age, the sources that report them, how fast features were off, and who follows their flags.",
    rows: [
      {
        title: "Now",
        panels: [
          {
            title: "Serious findings",
            description: "Open findings of class critical or high. LLMSecurityFinding fires from one on.",
            unit: "short",
            show: "number",
            alarmAt: 1,
            queries: [{ expr: `sum(llm_security_findings_open{${serious}}) or vector(0)`, legend: "" }],
          },
          {
            title: "Sources that cannot be read",
            description: "What they would report is unknown. LLMSecuritySourceBlind fires after ten minutes.",
            unit: "short",
            show: "number",
            alarmAt: 1,
            queries: [{ expr: "count(llm_security_source_up == 0) or vector(0)", legend: "" }],
          },
          {
            title: "Features that are off",
            description: "Features of runbookd.yml whose every flag is off.",
            unit: "short",
            show: "number",
            queries: [{ expr: "sum(llm_feature_off) or vector(0)", legend: "" }],
          },
          {
            title: "Processes with an older flag",
            description: "Processes that have not read the newest version of a flag. Until they have, nothing is shown to be off.",
            unit: "short",
            show: "number",
            alarmAt: 1,
            queries: [{ expr: 'sum(llm_flag_followers{state="stale"}) or vector(0)', legend: "" }],
          },
          {
            title: "Secrets detected",
            description: "Secrets that own detection found in outputs and changes in the last hour; high is a honeytoken.",
            unit: "short",
            show: "number",
            alarmAt: 1,
            queries: [{ expr: "sum by (confidence) (increase(llm_secret_detections_total[1h]))", legend: "{{confidence}}" }],
          },
          {
            title: "Attacks that work",
            description: "Tries that worked in the last scheduled replay on what is deployed. LLMAttackReplayHit fires from one on.",
            unit: "short",
            show: "number",
            alarmAt: 1,
            queries: [{ expr: "sum(llm_attack_replay_hits) or vector(0)", legend: "" }],
          },
        ],
      },
      {
        title: "Findings",
        panels: [
          {
            title: "Open by class",
            description: "Findings that no source has closed, by the class that was assessed. A finding ends only when its source says so.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "sum by (severity_class) (llm_security_findings_open)", legend: "{{severity_class}}" }],
          },
          {
            title: "Open by feature and source",
            description: "Where the serious ones are, and who reports them.",
            unit: "short",
            show: "curve",
            queries: [{ expr: `sum by (feature, source) (llm_security_findings_open{${serious}})`, legend: "{{feature}}, {{source}}" }],
          },
          {
            title: "Time with an open finding",
            description: "How long, within the last day, a finding of the class was open: its age, while it is open.",
            unit: "s",
            show: "curve",
            queries: [{ expr: secondsOf("sum by (severity_class) (llm_security_findings_open) > bool 0"), legend: "{{severity_class}}" }],
          },
          {
            title: "Sources",
            description: "1 while a source can be read to its end. While it is 0, no finding of it means nothing.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "min by (source) (llm_security_source_up)", legend: "{{source}}" }],
          },
        ],
      },
      {
        title: "Containment",
        panels: [
          {
            title: "From finding to off",
            description: "How long, within the last day, a serious finding was open while its feature was on.",
            unit: "s",
            show: "curve",
            queries: [
              {
                expr: secondsOf(
                  `(max by (feature) (llm_security_findings_open{${serious}}) > bool 0) * on (feature) (1 - max by (feature) (llm_feature_off))`,
                ),
                legend: "{{feature}}",
              },
            ],
          },
          {
            title: "Off",
            description: "1 while every flag of the feature is off.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "max by (feature) (llm_feature_off)", legend: "{{feature}}" }],
          },
          {
            title: "Followers of each flag",
            description:
              "Processes that asked for a flag within the last minute, by whether they had its newest version. A flag without any switches nothing off.",
            unit: "short",
            show: "curve",
            queries: [{ expr: "sum by (flag, state) (llm_flag_followers)", legend: "{{flag}}, {{state}}" }],
          },
          {
            title: "Requests of features",
            description:
              "Requests per second, as applications report them. One that is served while its feature is off raises LLMFeatureOffButCalled.",
            unit: "reqps",
            show: "curve",
            queries: [
              {
                expr: "sum by (feature, outcome) (rate(llm_feature_requests_total[$__rate_interval]))",
                legend: "{{feature}}, {{outcome}}",
              },
            ],
          },
        ],
      },
    ],
  });
}
