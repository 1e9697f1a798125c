import type { CatalogueEntry } from "../../../packages/sdk/src/wire/runbooks.ts";
import { Icon } from "../icons.tsx";
import { titleText, visibleText } from "../page-format.ts";
import { Empty, Loading, TroubleBanner } from "../pieces.tsx";
import type { Reading } from "../resource.ts";
import { useReading } from "../services.ts";
import { useTitle } from "../use-page.ts";

/** The catalog as the API answers it. */
export interface RunbooksAnswer {
  readonly items: readonly CatalogueEntry[];
}

/** Reads the catalog and shows it. */
export function RunbooksPage() {
  return <RunbooksView reading={useReading<RunbooksAnswer>("/api/runbooks")} />;
}

/** All runbooks: what starts each, how far it may go without a person, and whether its file has faults. */
export function RunbooksView({ reading: { body, trouble, readAt } }: { readonly reading: Reading<RunbooksAnswer> }) {
  useTitle("Runbooks");
  return (
    <>
      <h1>Runbooks</h1>
      {trouble === undefined ? null : <TroubleBanner trouble={trouble} readAt={readAt} />}
      {body === undefined && trouble === undefined ? <Loading what="the runbooks" /> : null}
      {body?.items.length === 0 ? <Empty>The folder of runbooks is empty. `runbookd new` writes a first one.</Empty> : null}
      {body === undefined || body.items.length === 0 ? null : (
        <ul class="sheet list">
          {body.items.map((entry) => (
            <li>
              <div class="what">
                <a href={`/runbooks/${encodeURIComponent(entry.id)}`}>{titleText(entry.usable ? entry.title : entry.id)}</a>
                <p class="quiet">{entry.usable ? triggersOf(entry.triggers) : "No version of this file could be read without errors."}</p>
              </div>
              <Faults errors={entry.errors} warnings={entry.warnings} />
              <p class="at">
                {entry.usable ? <span>{modeWords[entry.mode]}</span> : null}
                {entry.usable ? <span class="quiet">{entry.steps.length === 1 ? "1 step" : `${entry.steps.length} steps`}</span> : null}
              </p>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** What each mode means. */
export const modeWords = { observe: "only observes", approve: "asks first", auto: "acts" } as const;

function triggersOf(triggers: readonly string[]): string {
  if (triggers.length === 0) return "Started by hand";
  const shown = triggers.slice(0, 3).map((trigger) => visibleText(trigger, 100));
  return `Started by ${shown.join(", ")}${triggers.length > 3 ? ` and ${triggers.length - 3} more` : ""}`;
}

function Faults({ errors, warnings }: { readonly errors: number; readonly warnings: number }) {
  if (errors > 0) {
    return (
      <span class="pill bad">
        <Icon name="cross" />
        {errors === 1 ? "1 error" : `${errors} errors`}
      </span>
    );
  }
  if (warnings === 0) return <span />;
  return (
    <span class="pill wait">
      <Icon name="warning" />
      {warnings === 1 ? "1 warning" : `${warnings} warnings`}
    </span>
  );
}
