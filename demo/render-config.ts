import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { actionCatalogue } from "../src/app/action-registry.ts";
import { divideDurations } from "../src/runbooks/parse/scale.ts";
import { placeAlertmanagerConfig, placePrometheusConfig, scaleConfig } from "./scale-config.ts";

/** Addresses that the rendered files name. */
export interface Places {
  /** `host:port` of what Prometheus scrapes. */
  readonly metrics: readonly string[];
  /** `host:port`. */
  readonly alertmanager: string;
  readonly webhookUrl: string;
  readonly webhookToken: string;
  /** `host:port`. */
  readonly smtp: string;
  /** Defaults of parameters in the copies of the runbooks, by runbook; durations before they are divided. */
  readonly parameters?: { readonly [runbook: string]: { readonly [parameter: string]: string } };
  /** Runbook whose copy has the mode `approve`. */
  readonly asking?: string | undefined;
}

/** The rendered files. */
export interface RenderedConfig {
  readonly prometheus: string;
  readonly alertmanager: string;
  /** Folder with the runbooks. */
  readonly runbooks: string;
}

/** Renders the shipped rules, configuration and runbooks into `folder`, every duration divided by `factor`; of the rest only the defaults and the mode that `places` names are changed. */
export async function renderConfig(projectRoot: string, folder: string, factor: number, places: Places): Promise<RenderedConfig> {
  const alerts = join(projectRoot, "alerts");
  const shippedRunbooks = join(projectRoot, "runbooks");
  const rendered: RenderedConfig = {
    prometheus: join(folder, "prometheus.yml"),
    alertmanager: join(folder, "alertmanager.yml"),
    runbooks: join(folder, "runbooks"),
  };
  await mkdir(join(folder, "rules"), { recursive: true });
  await mkdir(rendered.runbooks, { recursive: true });

  for (const file of (await readdir(join(alerts, "rules"))).filter((name) => name.endsWith(".rules.yml"))) {
    await writeFile(join(folder, "rules", file), scaleConfig(await readFile(join(alerts, "rules", file), "utf8"), factor));
  }
  const prometheus = scaleConfig(await readFile(join(alerts, "prometheus.yml"), "utf8"), factor);
  await writeFile(rendered.prometheus, placePrometheusConfig(prometheus, { targets: places.metrics, alertmanager: places.alertmanager }));
  const alertmanager = scaleConfig(await readFile(join(alerts, "alertmanager.yml"), "utf8"), factor);
  await writeFile(rendered.alertmanager, placeAlertmanagerConfig(alertmanager, { webhookUrl: places.webhookUrl, smtp: places.smtp }));
  await writeFile(join(folder, "webhook-token"), places.webhookToken, { mode: 0o600 });

  for (const file of (await readdir(shippedRunbooks)).filter((name) => name.endsWith(".md"))) {
    const id = file.replace(/\.md$/, "");
    const changes = { defaults: places.parameters?.[id] ?? {}, isAsking: places.asking === id };
    const source = withChanges(await readFile(join(shippedRunbooks, file), "utf8"), changes);
    await writeFile(
      join(rendered.runbooks, file),
      file === "README.md" ? source : divideDurations({ file, source, catalogue: actionCatalogue }, factor),
    );
  }
  return rendered;
}

interface Changes {
  readonly defaults: { readonly [parameter: string]: string };
  readonly isAsking: boolean;
}

/** The runbook with other defaults of its parameters, and perhaps the mode `approve`. Throws when it has no such parameter. */
function withChanges(source: string, { defaults, isAsking }: Changes): string {
  if (Object.keys(defaults).length === 0 && !isAsking) return source;
  const [, head = "", body = ""] = /^---\n(.*?\n)---\n(.*)$/s.exec(source) ?? [];
  const document = parseDocument(head);
  for (const [parameter, value] of Object.entries(defaults)) {
    if (!document.hasIn(["params", parameter])) throw new Error(`The runbook has no parameter ${parameter}.`);
    document.setIn(["params", parameter, "default"], value);
  }
  if (isAsking) document.set("mode", "approve");
  return `---\n${document.toString({ lineWidth: 0 })}---\n${body}`;
}
