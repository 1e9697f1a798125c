import { expect, it } from "@jest/globals";
import type { SecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { Feature, KeyReference } from "../../core/feature.ts";
import { decideExposedKeys, type ExposureFacts } from "./decide-exposed-keys.ts";

const team: KeyReference = { system: "litellm", id: "team-key" };
const claude: KeyReference = { system: "anthropic", id: "apikey_1" };
const other: KeyReference = { system: "anthropic", id: "apikey_2" };
const feature: Feature = { name: "export", flags: [], budgets: [], keys: [team, claude], paths: [], versionUrls: [] };
const search: Feature = { ...feature, name: "search", keys: [other] };

function aSecret(secret: Partial<NonNullable<SecurityFinding["secret"]>>, state: SecurityFinding["state"] = "open"): SecurityFinding {
  return {
    id: "finding-1",
    source: "github",
    ref: "1",
    kind: "secret",
    state,
    title: "A key",
    feature: "export",
    weakness: { cwe: [], owasp: [] },
    facts: {},
    location: {},
    updatedAt: 0,
    firstSeenAt: 0,
    verdict: null,
    secret: { type: "token", validity: "active", ...secret },
  };
}

const decide = (change: Partial<ExposureFacts>) =>
  decideExposedKeys({ name: "export", feature, features: [feature, search], findings: [], ...change });

it.each<[string, Partial<ExposureFacts>, ReturnType<typeof decideExposedKeys>["kind"], string, readonly KeyReference[], readonly string[]]>(
  [
    ["the key that a finding names", { findings: [aSecret({ key: "team-key" })] }, "disable", "exposed", [team], []],
    ["that key also when it is of another feature", { findings: [aSecret({ key: "apikey_2" })] }, "disable", "exposed", [other], []],
    [
      "the keys of the system that a secret is of",
      { findings: [aSecret({ type: "anthropic_api_key" })] },
      "disable",
      "exposed",
      [claude],
      [],
    ],
    ["every key of the feature for a secret of no known sort", { findings: [aSecret({})] }, "disable", "exposed", [team, claude], []],
    ["a key of unknown validity", { findings: [aSecret({ validity: "unknown", key: "team-key" })] }, "disable", "exposed", [team], []],
    ["each key once", { findings: [aSecret({ key: "team-key" }), aSecret({ key: "team-key" })] }, "disable", "exposed", [team], []],
    ["no key that is no longer valid", { findings: [aSecret({ validity: "inactive" })] }, "none", "nothing_exposed", [], []],
    ["no key of a finding that is closed", { findings: [aSecret({}, "resolved")] }, "none", "nothing_exposed", [], []],
    ["no key without a secret", {}, "none", "nothing_exposed", [], []],
    [
      "every key of the feature when findings cannot be read",
      { findings: undefined },
      "disable",
      "findings_unreadable",
      [team, claude],
      [],
    ],
    [
      "nothing, and says so, for a feature without keys",
      { feature: { ...feature, keys: [] }, findings: [aSecret({})] },
      "disable",
      "unmatched",
      [],
      ["token"],
    ],
    ["nothing for an unknown feature", { feature: undefined, findings: [aSecret({})] }, "ask", "unmatched", [], ["token"]],
    [
      "nothing for an unknown feature when findings cannot be read",
      { feature: undefined, findings: undefined },
      "ask",
      "findings_unreadable",
      [],
      [],
    ],
    [
      "the key that a finding of an unknown feature names",
      { feature: undefined, findings: [aSecret({ key: "apikey_2" })] },
      "disable",
      "exposed",
      [other],
      [],
    ],
  ],
)("disables %s", (_what, change, kind, reason, keys, unmatched) => {
  expect(decide(change)).toMatchObject({ kind, reason, keys, unmatched });
});
