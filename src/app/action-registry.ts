import type { CommandRunner } from "../actions/command-runner.ts";
import type { DefinedAction } from "../actions/define-action.ts";
import type { HttpPort } from "../actions/http-port.ts";
import { httpRequest } from "../actions/http-request.ts";
import { prometheusQuery } from "../actions/prometheus-query.ts";
import { runCommand } from "../actions/run-command.ts";
import { wait } from "../actions/wait.ts";
import type { Action, ActionCatalogue, ActionSpec } from "../core/action.ts";
import type { Outbox } from "../core/outbox.ts";
import type { PrometheusReader } from "../core/prometheus.ts";
import { type AttackPorts, replayAttacks } from "../llm/attacks/actions/replay-attacks.ts";
import { cancelBatch } from "../llm/batches/actions/cancel-batch.ts";
import { handleBatchFailures } from "../llm/batches/actions/handle-batch-failures.ts";
import { pauseBatch } from "../llm/batches/actions/pause-batch.ts";
import { prepareBatch } from "../llm/batches/actions/prepare-batch.ts";
import { reconcileBatch } from "../llm/batches/actions/reconcile-batch.ts";
import { resumeBatch } from "../llm/batches/actions/resume-batch.ts";
import { setBatchLimits } from "../llm/batches/actions/set-batch-limits.ts";
import { submitBatch } from "../llm/batches/actions/submit-batch.ts";
import { watchBatch } from "../llm/batches/actions/watch-batch.ts";
import type { BatchControl } from "../llm/batches/batch-control.ts";
import { pauseBatches } from "../llm/budgets/actions/pause-batches.ts";
import { resumeBatches } from "../llm/budgets/actions/resume-batches.ts";
import { resumeWithRamp } from "../llm/budgets/actions/resume-with-ramp.ts";
import { setLimits } from "../llm/budgets/actions/set-limits.ts";
import { takeSnapshot } from "../llm/budgets/actions/take-snapshot.ts";
import type { BudgetControl } from "../llm/budgets/budget.ts";
import { analyzeCache } from "../llm/caching/actions/analyze-cache.ts";
import type { CacheAnalysisReader } from "../llm/caching/cache-analysis-reader.ts";
import { rankOperationsAction } from "../llm/cost/actions/rank-operations.ts";
import type { CostExplainer } from "../llm/cost/explain-cost.ts";
import { assessSeverityAction } from "../llm/features/actions/assess-severity.ts";
import { disableFeature } from "../llm/features/actions/disable-feature.ts";
import { disableKeys } from "../llm/features/actions/disable-keys.ts";
import { enableFeature } from "../llm/features/actions/enable-feature.ts";
import { keepEvidence } from "../llm/features/actions/keep-evidence.ts";
import type { FeaturePorts } from "../llm/features/feature-ports.ts";
import { checkCandidate } from "../llm/models/actions/check-candidate.ts";
import type { ModelCatalog } from "../llm/models/model-catalog.ts";
import type { RouteHistory, RouteReader } from "../llm/models/route-history.ts";
import { deployCanary } from "../llm/prompts/actions/deploy-canary.ts";
import { evaluatePrompt } from "../llm/prompts/actions/evaluate-prompt.ts";
import { measurePrompt } from "../llm/prompts/actions/measure-prompt.ts";
import { promotePrompt } from "../llm/prompts/actions/promote-prompt.ts";
import { rankPrompts } from "../llm/prompts/actions/rank-prompts.ts";
import { restructurePromptAction } from "../llm/prompts/actions/restructure-prompt.ts";
import type { PromptStore } from "../llm/prompts/prompt.ts";
import type { PromptRolloutStore } from "../llm/prompts/prompt-rollout-store.ts";
import { closeFindings } from "../llm/releases/actions/close-findings.ts";
import { deployRelease } from "../llm/releases/actions/deploy-release.ts";
import { mergeChange } from "../llm/releases/actions/merge-change.ts";
import { prepareHotfix } from "../llm/releases/actions/prepare-hotfix.ts";
import { runTests } from "../llm/releases/actions/run-tests.ts";
import { type PostMortemPorts, writePostMortem } from "../llm/releases/actions/write-post-mortem.ts";
import type { DeploymentPorts } from "../llm/releases/deployment-ports.ts";
import type { ReleasePorts } from "../llm/releases/release-ports.ts";
import { compareCandidate } from "../llm/rollouts/actions/compare-candidate.ts";
import { completeRollout } from "../llm/rollouts/actions/complete-rollout.ts";
import { evaluateCandidate } from "../llm/rollouts/actions/evaluate-candidate.ts";
import { followRollout } from "../llm/rollouts/actions/follow-rollout.ts";
import { lookAtRollout } from "../llm/rollouts/actions/look-at-rollout.ts";
import { openRollout } from "../llm/rollouts/actions/open-rollout.ts";
import { planRollout } from "../llm/rollouts/actions/plan-rollout.ts";
import { rollBackRollout } from "../llm/rollouts/actions/roll-back-rollout.ts";
import { runRollout } from "../llm/rollouts/actions/run-rollout.ts";
import { watchRollout } from "../llm/rollouts/actions/watch-rollout.ts";
import type { EvaluationStore } from "../llm/rollouts/evaluation.ts";
import type { Evaluator } from "../llm/rollouts/evaluator.ts";
import type { RolloutStore } from "../llm/rollouts/rollout.ts";
import type { ShareControls } from "../llm/rollouts/share-control.ts";
import type { StagedEvaluators } from "../llm/rollouts/staged-evaluation.ts";
import { cancelTickets } from "../llm/tickets/actions/cancel-tickets.ts";
import { findFailurePoint } from "../llm/tickets/actions/find-failure-point.ts";
import { fixFailureCause } from "../llm/tickets/actions/fix-failure-cause.ts";
import { preserveWork } from "../llm/tickets/actions/preserve-work.ts";
import { resumeTickets } from "../llm/tickets/actions/resume-tickets.ts";
import { rollBackWork } from "../llm/tickets/actions/roll-back-work.ts";
import type { RecoveryPorts } from "../llm/tickets/recovery-ports.ts";
import { notify } from "../notifications/actions/notify.ts";
import { sendReport } from "../notifications/actions/send-report.ts";
import type { Recipients } from "../notifications/recipients.ts";

/** Every action, once, by subject and then by name. A new action is one file and one line here. */
const definitions: readonly DefinedAction<ActionPorts>[] = [
  // General
  httpRequest,
  prometheusQuery,
  runCommand,
  wait,
  // Notifications
  notify,
  sendReport,
  // Budgets
  pauseBatches,
  resumeBatches,
  resumeWithRamp,
  setLimits,
  takeSnapshot,
  // Batches
  cancelBatch,
  handleBatchFailures,
  pauseBatch,
  prepareBatch,
  reconcileBatch,
  resumeBatch,
  setBatchLimits,
  submitBatch,
  watchBatch,
  // Tickets
  cancelTickets,
  findFailurePoint,
  fixFailureCause,
  preserveWork,
  resumeTickets,
  rollBackWork,
  // Prompts
  deployCanary,
  evaluatePrompt,
  measurePrompt,
  promotePrompt,
  rankPrompts,
  restructurePromptAction,
  // Caching
  analyzeCache,
  // Models
  checkCandidate,
  evaluateCandidate,
  compareCandidate,
  // Rollouts
  completeRollout,
  followRollout,
  lookAtRollout,
  openRollout,
  planRollout,
  rollBackRollout,
  runRollout,
  watchRollout,
  // Cost
  rankOperationsAction,
  // Features
  assessSeverityAction,
  disableFeature,
  disableKeys,
  enableFeature,
  keepEvidence,
  // Releases
  closeFindings,
  deployRelease,
  mergeChange,
  prepareHotfix,
  runTests,
  writePostMortem,
  // Attacks
  replayAttacks,
];

/** Actions bound to their ports, by name. */
export interface Actions {
  readonly names: readonly string[];
  find(name: string): Action | undefined;
}

/** What lint, the schema and the documents know: every action without its ports. */
export const actionCatalogue: ActionCatalogue = byName<ActionSpec>(definitions.map((definition) => definition.spec));

/** Binds every action to its ports. */
export function createActions(ports: ActionPorts): Actions {
  return byName(definitions.map((definition) => definition.create(ports)));
}

function byName<Named extends { readonly name: string }>(list: readonly Named[]) {
  const map = new Map(list.map((item) => [item.name, item]));
  return { names: list.map((item) => item.name).sort(), find: (name: string): Named | undefined => map.get(name) };
}

/** Everything that actions may touch. */
export interface ActionPorts
  extends Omit<FeaturePorts, "budgets" | "http">,
    Omit<AttackPorts, "features">,
    Pick<DeploymentPorts, "testRunner" | "deployer">,
    Omit<ReleasePorts, "features" | "securityFindings">,
    Pick<PostMortemPorts, "readJournal" | "postMortems"> {
  readonly budgets: BudgetControl;
  readonly costs: CostExplainer;
  readonly batches: BatchControl;
  readonly prometheus: PrometheusReader;
  readonly http: HttpPort;
  readonly outbox: Pick<Outbox, "put" | "find">;
  readonly recipients: Recipients;
  readonly commands: CommandRunner;
  readonly prompts: PromptStore;
  readonly rollouts: PromptRolloutStore;
  readonly cache: CacheAnalysisReader;
  /** Absent while no evaluator is configured. */
  readonly evaluator: Evaluator | undefined;
  /** Absent while no repository of tickets is configured. */
  readonly stagedEvaluators: StagedEvaluators | undefined;
  readonly evaluations: EvaluationStore;
  readonly routes: RouteReader;
  readonly models: ModelCatalog;
  readonly history: RouteHistory;
  readonly tickets: RecoveryPorts;
  readonly rolloutStore: RolloutStore;
  readonly shareControls: ShareControls;
}
