import { badge, escapeHtml, factsLine, factsTable, textTable, waterfallTable } from "./html-fragments.ts";
import { proseToHtml } from "./prose.ts";
import type { CheckStory, MetricStory, Review, StepStory } from "./review.ts";
import { figuresOf, svgSparkline } from "./sparkline.ts";
import { figure, timeOfDay } from "./wording.ts";

const good = { ink: "#116329", paper: "#dafbe1" };
const bad = { ink: "#a40e26", paper: "#ffebe9" };
const doubt = { ink: "#7d4e00", paper: "#fff3d1" };
const quiet = { ink: "#59636e", paper: "#eef1f4" };

const colours: Readonly<Record<string, typeof good>> = {
  succeeded: good,
  done: good,
  true: good,
  failed: bad,
  false: bad,
  ineffective: bad,
  refused: bad,
  aborted: doubt,
  inconclusive: doubt,
  "in doubt": doubt,
  waiting: doubt,
  undone: doubt,
};

/** The review as one self-contained HTML page with inline styles, for mail clients: no script, no style sheet, nothing from outside. */
export function renderReportHtml(review: Review): string {
  const sections = [
    section("Scenario", review.scenario === undefined ? "" : proseToHtml(review.scenario)),
    section("Symptoms", review.symptoms === undefined ? "" : proseToHtml(review.symptoms)),
    section("Prerequisites", checks(review.prerequisites)),
    section("Procedure", steps(review.steps)),
    section("Verification", checks(review.verification)),
    section("Tracked metrics", review.metrics.map(metric).join("")),
    section("Cost", review.money.map((line) => `<p style="margin:6px 0 0">${escapeHtml(line)}</p>`).join("")),
    section("Post-Action", steps(review.post)),
    section("Left for people", taskList(review.remainingTasks)),
    section("Related", review.related === undefined ? "" : proseToHtml(review.related)),
  ];
  const link =
    review.link === undefined
      ? ""
      : `<p style="margin:14px 0 0"><a href="${escapeHtml(review.link)}" style="color:#1f5fae">This run, step by step</a></p>`;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeHtml(review.title)}</title></head>
<body style="margin:0;padding:0;background:#f6f8fa">
<table role="presentation" cellpadding="0" cellspacing="0" style="width:100%;table-layout:fixed;background:#f6f8fa"><tr><td align="center" style="padding:24px 12px">
<table role="presentation" cellpadding="0" cellspacing="0" style="width:100%;max-width:760px;table-layout:fixed;overflow-wrap:anywhere;background:#ffffff;border:1px solid #d0d7de;border-radius:8px;font-family:-apple-system,'Segoe UI',Helvetica,Arial,sans-serif;font-size:14px;line-height:1.5;color:#1f2328"><tr><td style="padding:24px 28px 28px">
<p style="margin:0;color:#59636e;font-size:12px">Post-incident review</p>
<h1 style="margin:2px 0 10px;font-size:22px;line-height:1.3">${escapeHtml(review.title)}</h1>
<p style="margin:0 0 6px">${badge(review.outcome, colours[review.outcome] ?? quiet)}&nbsp; ${escapeHtml(review.headline)}</p>
${inShort(review.inShort)}${factsTable(review.facts)}${link}
${sections.join("\n")}
</td></tr></table>
</td></tr></table>
</body>
</html>
`;
}

function inShort(lines: readonly string[]): string {
  if (lines.length === 0) return "";
  const items = lines.map((text) => `<li style="margin:3px 0">${escapeHtml(text)}</li>`).join("");
  return `<ul style="margin:12px 0 14px;padding:10px 14px 10px 30px;background:#f6f8fa;border-radius:6px">${items}</ul>`;
}

function section(title: string, body: string): string {
  return body === ""
    ? ""
    : `<h2 style="margin:28px 0 4px;padding-bottom:4px;border-bottom:2px solid #d0d7de;font-size:17px">${escapeHtml(title)}</h2>${body}`;
}

function steps(stories: readonly StepStory[]): string {
  let heading: string | undefined;
  return stories
    .map((story) => {
      const above =
        story.section !== undefined && story.section !== heading
          ? `<h3 style="margin:18px 0 0;font-size:15px;color:#59636e">${escapeHtml(story.section)}</h3>`
          : "";
      heading = story.section;
      return `${above}${step(story)}`;
    })
    .join("");
}

function step(story: StepStory): string {
  const number = story.number === undefined ? "" : `${story.number}. `;
  const action = story.action === undefined ? "by hand" : story.action;
  const lines = story.lines.map(
    ({ at, text }) =>
      `<tr><td style="padding:2px 12px 2px 0;vertical-align:top;white-space:nowrap;width:1%;color:#59636e;font-size:12px;font-family:ui-monospace,Menlo,Consolas,monospace">${timeOfDay(at)}</td><td style="padding:2px 0;font-size:13px;word-break:break-word">${escapeHtml(text)}</td></tr>`,
  );
  const timeline =
    lines.length === 0
      ? ""
      : `<table role="presentation" cellpadding="0" cellspacing="0" style="width:100%;border-collapse:collapse;margin:8px 0 0">${lines.join("")}</table>`;
  const changes =
    story.changes.length === 0
      ? ""
      : textTable(
          ["Changed", "Before", "After"],
          story.changes.map(({ target, field, before, after }) => [`${target}: ${field}`, before, after]),
        );
  const ranking = story.ranking === undefined ? "" : textTable(story.ranking.head, story.ranking.rows, [2, 3, 4, 5]);
  const waterfall = story.waterfall === undefined ? "" : waterfallTable(story.waterfall);
  const results = story.results.length === 0 ? "" : factsLine(story.results);
  return `<table role="presentation" cellpadding="0" cellspacing="0" style="width:100%;table-layout:fixed;border:1px solid #d0d7de;border-radius:6px;border-collapse:separate;margin:10px 0 0"><tr><td style="padding:12px 14px">
<table role="presentation" cellpadding="0" cellspacing="0" style="width:100%"><tr><td style="font-weight:600;font-size:15px">${escapeHtml(`${number}${story.name}`)} <span style="font-weight:400;color:#59636e;font-size:12px;white-space:nowrap">${escapeHtml(action)}</span></td><td style="text-align:right;vertical-align:top;width:1%">${badge(story.state, colours[story.state] ?? quiet)}</td></tr></table>
<div style="color:#59636e;font-size:13px">${proseToHtml(story.text)}</div>${timeline}${changes}${ranking}${waterfall}${results}
</td></tr></table>`;
}

function checks(stories: readonly CheckStory[]): string {
  return stories
    .map(({ text, source, truth, detail }) => {
      const mark = truth === "unchecked" ? badge(detail, quiet) : badge(truth, colours[truth] ?? quiet);
      const about = truth === "unchecked" ? "" : `<p style="margin:4px 0 0;font-size:13px">${escapeHtml(detail)}</p>`;
      const query =
        source === undefined
          ? ""
          : `<div style="margin:6px 0 0;padding:6px 10px;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:12px;background:#f0f2f5;border-radius:4px;white-space:pre-wrap;word-break:break-word">${escapeHtml(source)}</div>`;
      return `<table role="presentation" cellpadding="0" cellspacing="0" style="width:100%;margin:6px 0 0;border-bottom:1px solid #eaeef2"><tr><td style="padding:4px 0 8px;vertical-align:top">${proseToHtml(text)}${query}${about}</td><td style="padding:10px 0 0 12px;text-align:right;vertical-align:top;width:1%">${mark}</td></tr></table>`;
    })
    .join("");
}

function metric(story: MetricStory): string {
  const figures = figuresOf(story);
  const summary =
    figures === undefined
      ? "could not be seen"
      : `first ${figure(figures.first)} · highest ${figure(figures.highest)} · last ${figure(figures.last)}${figures.unseen > 0 ? ` · ${figures.unseen} of ${story.points.length} looks saw nothing` : ""}`;
  const picture = figures === undefined ? "" : svgSparkline(story);
  return `<table role="presentation" cellpadding="0" cellspacing="0" style="width:100%;margin:8px 0 0"><tr><td style="vertical-align:top"><strong>${escapeHtml(story.name)}</strong> <span style="color:#59636e;font-size:13px">${escapeHtml(summary)}</span></td></tr><tr><td>${picture}</td></tr></table>`;
}

function taskList(items: readonly string[]): string {
  if (items.length === 0) return `<p style="margin:6px 0 0">Nothing.</p>`;
  return `<ul style="margin:6px 0 0;padding-left:20px">${items.map((text) => `<li style="margin:3px 0">${proseToHtml(text)}</li>`).join("")}</ul>`;
}
