/** The files of a new runbook: path → text. All pass lint, promtool and rehearse as they are; every part is meant to be replaced. */
export function runbookTemplate(id: string): Readonly<Record<string, string>> {
  const alert = id
    .split("-")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
  const title = id.charAt(0).toUpperCase() + id.slice(1).replaceAll("-", " ");
  return {
    [`runbooks/${id}.md`]: documentTemplate(title, alert),
    [`alerts/rules/${id}.rules.yml`]: ruleTemplate(id, alert),
    [`alerts/tests/${id}.test.yml`]: testTemplate(id, alert),
    [`runbooks/rehearsals/${id}/only-observed.yml`]: rehearsalTemplate(alert),
  };
}

function documentTemplate(title: string, alert: string): string {
  return `---
triggers:
  - ${alert}
target: job/\${{ params.job }}
params:
  job: { type: string, from: alert.labels.job }
mode: observe
cooldown: 30m
---
# Runbook: ${title}

## Scenario
What has happened, and what it costs while it lasts.

## Symptoms
- Alert \`${alert}\`

## Prerequisites
- Prometheus knows the job:
  \`\`\`promql
  up{job="\${{ params.job }}"}
  \`\`\`

## Procedure

1. **Look at the job**: What a person does first. A step without an action waits until a person marks it done.

2. **Make it work again**: What a person does then. Name an action here to let the machine do it.

## Verification
- The job is up:
  \`\`\`promql
  min(up{job="\${{ params.job }}"}) == 1
  \`\`\`
  within 10m

## Post-Action
- Action: \`send-report\`
- Say what would have prevented it
`;
}

function ruleTemplate(id: string, alert: string): string {
  return `# ${alert}: replace the query by the one that tells of your problem.
groups:
  - name: ${id}
    rules:
      - alert: ${alert}
        expr: max by (job) (up) == 0
        for: 5m
        labels: { severity: warning, runbook: ${id} }
        annotations:
          summary: "A job is down."
          description: "No target of job {{ $labels.job }} has answered for five minutes."
          runbook_url: http://localhost:9097/runbooks/${id}
          dashboard_url: http://localhost:3000/d/runbookd-automation/automation
`;
}

function testTemplate(id: string, alert: string): string {
  return `# ${alert}: one case that fires and one that stays silent.
rule_files:
  - ../rules/${id}.rules.yml
evaluation_interval: 1m
tests:
  - name: "every target is down"
    interval: 1m
    input_series:
      - series: 'up{job="api",instance="a"}'
        values: '0x20'
    alert_rule_test:
      - eval_time: 10m
        alertname: ${alert}
        exp_alerts:
          - exp_labels: { job: "api", severity: "warning", runbook: "${id}" }
            exp_annotations:
              summary: "A job is down."
              description: "No target of job api has answered for five minutes."
              runbook_url: "http://localhost:9097/runbooks/${id}"
              dashboard_url: "http://localhost:3000/d/runbookd-automation/automation"
  - name: "one target of two is down"
    interval: 1m
    input_series:
      - series: 'up{job="api",instance="a"}'
        values: '0x20'
      - series: 'up{job="api",instance="b"}'
        values: '1x20'
    alert_rule_test:
      - eval_time: 10m
        alertname: ${alert}
        exp_alerts: []
`;
}

function rehearsalTemplate(alert: string): string {
  return `# A new runbook only observes: every step is looked at and nothing is done. With another mode the first step waits for a person.
name: the alert begins a run that changes nothing
alert:
  labels: { alertname: ${alert}, job: api }
metrics:
  up{job="api"}: 0
expect:
  outcome: stood_down
  steps:
    look_at_the_job: skipped
    make_it_work_again: skipped
  effects: []
  mails:
    - review to default
  questions: []
`;
}
