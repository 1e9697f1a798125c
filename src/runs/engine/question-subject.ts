import { maskSecrets } from "../../../packages/sdk/src/wire/mask-secrets.ts";
import type { QuestionSubject } from "../../../packages/sdk/src/wire/questions.ts";
import type { RunRequest } from "../../../packages/sdk/src/wire/runs.ts";
import { shortLine } from "../../core/one-line.ts";
import { shortLabels } from "../../core/short-labels.ts";

const maxSummary = 300;

/** What a person must read beside a question: target, alert, its summary and its labels. */
export function subjectOf({ target, alert }: Pick<RunRequest, "target" | "alert">): QuestionSubject {
  const clean = (text: string, max: number) => maskSecrets(shortLine(text, max));
  const { alertname: alertName = "" } = alert?.labels ?? {};
  const { summary = "" } = alert?.annotations ?? {};
  const labels = alert === undefined ? {} : shortLabels(alert.labels, clean);
  return {
    ...(target !== undefined && { target: clean(target, 256) }),
    ...(alertName !== "" && { alertName: clean(alertName, 256) }),
    ...(summary !== "" && { summary: clean(summary, maxSummary) }),
    ...(Object.keys(labels).length > 0 && { labels }),
  };
}
