import { type Finding, fault, fine, warning } from "../../core/diagnosis.ts";
import type { Feature } from "../../core/feature.ts";

/** What each feature lacks to be switched off and to be shown as off. `budgets`: ids that exist; undefined: they cannot be read now. */
export function judgeFeatures(features: readonly Feature[], budgets: readonly string[] | undefined): readonly Finding[] {
  return features.map((feature) => {
    const name = `Feature ${feature.name}`;
    const absent = budgets === undefined ? [] : feature.budgets.filter((id) => !budgets.includes(id));
    if (absent.length > 0) {
      const detail = `names ${absent.length === 1 ? "a budget" : "budgets"} that ${absent.length === 1 ? "does" : "do"} not exist: ${absent.join(", ")}`;
      return fault(
        name,
        detail,
        "Correct it under features in runbookd.yml, or define the budget. The gate of such a budget cannot be closed.",
      );
    }
    const lacks = lacksOf(feature);
    if (lacks.length === 0)
      return fine(name, `${feature.flags.length} flags, ${feature.budgets.length} budgets, ${feature.keys.length} keys, a probe`);
    return warning(
      name,
      `lacks ${lacks.join("; ")}`,
      "Add it under features in runbookd.yml. Until then a person is asked, or the class of its findings goes one up.",
    );
  });
}

const settingOf = { codeHost: "code_host", tests: "tests", attacks: "attacks", deployment: "deployment" } as const;

function lacksOf(feature: Feature): readonly string[] {
  const { flags, probe, repository, paths, exposure, data, agency } = feature;
  const unautomated = (["codeHost", "tests", "attacks", "deployment"] as const).filter((what) => feature[what] === undefined);
  return [
    ...(flags.length === 0 ? ["flags, without which applications do not learn that it is off"] : []),
    ...(probe === undefined ? ["a probe, without which it is never shown that a request is refused"] : []),
    ...(repository === undefined && paths.length === 0 ? ["repository and paths, by which findings are assigned to it"] : []),
    ...(exposure === undefined ? ["exposure"] : []),
    ...(data === undefined ? ["data"] : []),
    ...(agency === undefined ? ["agency"] : []),
    ...(unautomated.length === 0
      ? []
      : [`${unautomated.map((what) => settingOf[what]).join(", ")}, without which a person does these steps of a fix`]),
  ];
}
