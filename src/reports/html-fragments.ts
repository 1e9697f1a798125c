import type { Waterfall, WaterfallRow } from "./waterfall.ts";
import { factLines } from "./wording.ts";

/** Text inside an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}

const cell = "padding:5px 10px 5px 0;vertical-align:top;text-align:left;border-bottom:1px solid #eaeef2;font-size:13px";

/** Names on the left, values on the right. */
export function factsTable(rows: readonly (readonly [name: string, value: string])[]): string {
  const body = rows.map(
    ([name, value]) =>
      `<tr><td style="${cell};color:#59636e;white-space:nowrap;width:1%;padding-right:18px">${escapeHtml(name)}</td><td style="${cell};word-break:break-word">${escapeHtml(value)}</td></tr>`,
  );
  return table(body.join(""));
}

/** A table with a head; every cell is text. Columns named in `right` hold numbers. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const style = (column: number) => (right.includes(column) ? `${cell};text-align:right;white-space:nowrap;padding:5px 14px 5px 0` : cell);
  const top = head.map((name, column) => `<th style="${style(column)};color:#59636e;font-weight:600">${escapeHtml(name)}</th>`).join("");
  const body = rows
    .map((row) => `<tr>${row.map((text, column) => `<td style="${style(column)}">${escapeHtml(text)}</td>`).join("")}</tr>`)
    .join("");
  // A phone scrolls a wide table sideways instead of breaking its words into letters.
  return `<div style="overflow-x:auto;overflow-wrap:normal">${table(`<tr>${top}</tr>${body}`)}</div>`;
}

function table(rows: string): string {
  return `<table role="presentation" cellpadding="0" cellspacing="0" style="width:100%;border-collapse:collapse;margin:8px 0 0">${rows}</table>`;
}

const barColours = { total: "#59636e", rise: "#cf222e", fall: "#1a7f37" } as const;

/** Rows of a waterfall with their bars; of cells with widths and colours, as mail clients drop drawings. */
export function waterfallTable(rows: Waterfall): string {
  const head = ["Factor", "Change", "Share", "Times", ""];
  const style = (column: number) => (column > 0 && column < 4 ? `${cell};text-align:right;white-space:nowrap` : cell);
  const top = head.map((name, column) => `<th style="${style(column)};color:#59636e;font-weight:600">${name}</th>`).join("");
  const body = rows.map((row) => {
    const texts = [row.name, row.amount, row.share, row.times];
    return `<tr>${texts.map((text, column) => `<td style="${style(column)}">${escapeHtml(text)}</td>`).join("")}<td style="${cell};width:40%;min-width:120px">${bar(row)}</td></tr>`;
  });
  return `<div style="overflow-x:auto;overflow-wrap:normal">${table(`<tr>${top}</tr>${body.join("")}`)}</div>`;
}

function bar({ from, to, kind }: WaterfallRow): string {
  if (from === to) return "";
  // What is too small to be seen is a line.
  const [offset, width] = [Math.min(99, Math.round(from * 100)), Math.max(1, Math.round((to - from) * 100))];
  const parts = [
    [offset, ""],
    [width, `;background:${barColours[kind]}`],
    [Math.max(0, 100 - offset - width), ""],
  ] as const;
  const cells = parts.flatMap(([share, more]) =>
    share === 0 ? [] : [`<td style="padding:0;height:12px;line-height:12px;font-size:1px;width:${share}%${more}">&nbsp;</td>`],
  );
  return `<table role="presentation" cellpadding="0" cellspacing="0" style="width:100%;table-layout:fixed;border-collapse:collapse"><tr>${cells.join("")}</tr></table>`;
}

/** Names and values one after the other; what is long has a line of its own. */
export function factsLine(rows: readonly (readonly [name: string, value: string])[]): string {
  return factLines(rows)
    .map((line) => {
      const parts = line.map(
        ([name, value]) =>
          `<span style="color:#59636e">${escapeHtml(name)}</span>&nbsp;<strong style="font-weight:600">${escapeHtml(value)}</strong>`,
      );
      return `<p style="margin:8px 0 0;font-size:13px;word-break:break-word">${parts.join(" &nbsp;·&nbsp; ")}</p>`;
    })
    .join("");
}

/** A coloured word. */
export function badge(text: string, colour: { readonly ink: string; readonly paper: string }): string {
  return `<span style="display:inline-block;padding:2px 9px;border-radius:10px;font-size:12px;font-weight:600;white-space:nowrap;color:${colour.ink};background:${colour.paper}">${escapeHtml(text)}</span>`;
}
