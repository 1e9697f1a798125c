import { openCodeHosts } from "../../app/open-code-hosts.ts";
import { type Finding, fault, fine } from "../../core/diagnosis.ts";
import type { Feature } from "../../core/feature.ts";
import type { CodeHosts } from "../../llm/releases/code-host.ts";
import { featureCode } from "../../llm/releases/release-ports.ts";
import { createClosers } from "../../platform/closers.ts";
import type { Config } from "../../platform/config/config.ts";
import type { CommandContext } from "../context.ts";

/** Whether the changes of each repository that a feature names can be read; whether they may be merged shows only when one is. Nothing is changed there. */
export async function examineCodeHosts(
  config: Config,
  { clock, env, signal }: Pick<CommandContext, "clock" | "env" | "signal">,
): Promise<readonly Finding[]> {
  const hosted = config.features.filter(({ codeHost }) => codeHost !== undefined);
  const byRepository = new Map(hosted.map((feature) => [`${feature.codeHost ?? ""} ${feature.repository ?? ""}`, feature]));
  const closers = createClosers(() => undefined, clock);
  try {
    const { codeHosts } = openCodeHosts({ config, clock, closers, path: env["PATH"] ?? "", log: { warn: () => undefined } });
    return await Promise.all([...byRepository.values()].map(async (feature) => examineRepository(feature, codeHosts, signal)));
  } finally {
    await closers.close();
  }
}

async function examineRepository(feature: Feature, codeHosts: CodeHosts, signal: AbortSignal): Promise<Finding> {
  const name = "Code host";
  try {
    const { host, repository } = featureCode(feature, codeHosts);
    const fixes = await host.findFixes({ repository, references: [], packages: [], signal });
    return fine(name, `${repository} can be read; open changes on branches hotfix/*: ${fixes.length}`);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return fault(
      name,
      said,
      "Correct code_host and repository of the feature, git_repositories or GITHUB_TOKEN; docs/code-hosts.md says what is needed. Until then no fix is merged.",
    );
  }
}
