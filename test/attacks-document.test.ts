import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import { parseAttackCorpus } from "../src/llm/attacks/parse-attack-corpus.ts";
import { loadConfig } from "../src/platform/config/load-config.ts";

const text = readFileSync(join(import.meta.dirname, "../docs/attacks.md"), "utf8");
const [corpus = "", settings = ""] = [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, inside = ""]) => inside);

it("accepts the corpus that docs/attacks.md shows", () => {
  const parsed = parseAttackCorpus({ feature: "export", file: "export.yml", source: corpus });
  expect(parsed.diagnostics).toEqual([]);
  expect(parsed.corpus).toMatchObject({ attacks: [{ id: "export-injection" }], harmless: [{ id: "report" }] });
});

it("accepts the settings that docs/attacks.md shows", () => {
  const loaded = loadConfig({ env: {}, yaml: settings, readFile: () => "" });
  expect(loaded).toMatchObject({ ok: true, config: { features: [{ name: "export", attacks: { kind: "command", name: "attack-desk" } }] } });
});
