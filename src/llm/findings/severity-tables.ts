import type { Agency, dataKinds, exposures, Feature } from "../../core/feature.ts";

/** State of exploitation, SSVC's decision point E 1.1.0. */
export type Exploitation = "none" | "poc" | "active";

/** Whether attacks can be automated from reconnaissance to exploitation, SSVC's decision point A 2.0.0. */
export type Automatable = "no" | "yes";

/** What an attacker controls or reads, SSVC's decision point TI 1.0.0. */
export type TechnicalImpact = "partial" | "total";

/** What depends on the affected feature, SSVC's decision point MWI 1.0.0. */
export type MissionImpact = "low" | "medium" | "high";

/** CISA's decisions. */
export type CisaDecision = "track" | "track*" | "attend" | "act";

/** OWASP AIVSS' agentic impact level. */
export type AgenticImpact = "copilot" | "specialist" | "prime mover";

/** SSVC's decisions on when to act, which OWASP AIVSS uses. */
export type ActDecision = "defer" | "scheduled" | "out-of-cycle" | "immediate";

type Exposure = (typeof exposures)[number];
type DataKind = (typeof dataKinds)[number];
type Answers<Name extends keyof Agency> = NonNullable<NonNullable<Feature["agency"]>[Name]>;

/**
 * CISA Coordinator 2.0.3, 36 rows, of CERT/CC's Stakeholder-Specific Vulnerability Categorization. Copyright Carnegie Mellon University.
 * https://github.com/CERTCC/SSVC/blob/main/data/json/decision_tables/cisa/cisa_coordinator_2_0_3.json
 */
export const cisaCoordinator: Readonly<
  Record<Exploitation, Record<Automatable, Record<TechnicalImpact, Record<MissionImpact, CisaDecision>>>>
> = {
  none: {
    no: {
      partial: { low: "track", medium: "track", high: "track" },
      total: { low: "track", medium: "track", high: "track*" },
    },
    yes: {
      partial: { low: "track", medium: "track", high: "attend" },
      total: { low: "track", medium: "track", high: "attend" },
    },
  },
  poc: {
    no: {
      partial: { low: "track", medium: "track", high: "track*" },
      total: { low: "track", medium: "track*", high: "attend" },
    },
    yes: {
      partial: { low: "track", medium: "track", high: "attend" },
      total: { low: "track", medium: "track*", high: "attend" },
    },
  },
  active: {
    no: {
      partial: { low: "track", medium: "track", high: "attend" },
      total: { low: "track", medium: "attend", high: "act" },
    },
    yes: {
      partial: { low: "attend", medium: "attend", high: "act" },
      total: { low: "attend", medium: "act", high: "act" },
    },
  },
};

/**
 * Agentic Impact Level 1.0.0, 27 rows: CERT/CC's draft for OWASP AIVSS. Copyright Carnegie Mellon University.
 * https://github.com/CERTCC/SSVC, data/json/decision_tables/x_org_owasp_aivss/agentic_impact_level_1_0_0.json
 */
export const agenticImpactLevel: Readonly<
  Record<Answers<"power">, Record<Answers<"environment">, Record<Answers<"predictability">, AgenticImpact>>>
> = {
  constrained: {
    isolated: { verifiable: "copilot", uncertain: "copilot", opaque: "specialist" },
    connected: { verifiable: "copilot", uncertain: "specialist", opaque: "specialist" },
    pervasive: { verifiable: "specialist", uncertain: "specialist", opaque: "prime mover" },
  },
  capable: {
    isolated: { verifiable: "copilot", uncertain: "specialist", opaque: "specialist" },
    connected: { verifiable: "specialist", uncertain: "specialist", opaque: "specialist" },
    pervasive: { verifiable: "specialist", uncertain: "specialist", opaque: "prime mover" },
  },
  "high-leverage": {
    isolated: { verifiable: "specialist", uncertain: "specialist", opaque: "prime mover" },
    connected: { verifiable: "specialist", uncertain: "specialist", opaque: "prime mover" },
    pervasive: { verifiable: "prime mover", uncertain: "prime mover", opaque: "prime mover" },
  },
};

/**
 * AIVSS Decision Table 1.0.0, 27 rows: CERT/CC's draft for OWASP AIVSS. Copyright Carnegie Mellon University.
 * https://github.com/CERTCC/SSVC, data/json/decision_tables/x_org_owasp_aivss/aivss_decision_table_1_0_0.json
 */
export const aivssDecision: Readonly<Record<Exploitation, Record<AgenticImpact, Record<Answers<"systemic">, ActDecision>>>> = {
  none: {
    copilot: { contained: "defer", significant: "scheduled", critical: "out-of-cycle" },
    specialist: { contained: "scheduled", significant: "scheduled", critical: "out-of-cycle" },
    "prime mover": { contained: "scheduled", significant: "out-of-cycle", critical: "immediate" },
  },
  poc: {
    copilot: { contained: "scheduled", significant: "scheduled", critical: "out-of-cycle" },
    specialist: { contained: "scheduled", significant: "out-of-cycle", critical: "out-of-cycle" },
    "prime mover": { contained: "out-of-cycle", significant: "out-of-cycle", critical: "immediate" },
  },
  active: {
    copilot: { contained: "out-of-cycle", significant: "out-of-cycle", critical: "immediate" },
    specialist: { contained: "out-of-cycle", significant: "immediate", critical: "immediate" },
    "prime mover": { contained: "immediate", significant: "immediate", critical: "immediate" },
  },
};

/** Our own: the impact on the mission, from who can reach a feature and what it can read. Regulated data is a duty to report wherever it is read. */
export const missionImpact: Readonly<Record<Exposure, Record<DataKind, MissionImpact>>> = {
  public: { regulated: "high", personal: "high", internal: "medium", none: "medium" },
  customers: { regulated: "high", personal: "high", internal: "medium", none: "low" },
  internal: { regulated: "high", personal: "medium", internal: "low", none: "low" },
};
