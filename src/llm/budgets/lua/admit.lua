-- Commits an admission decided from a snapshot (admission-facts.lua): reserves the estimate under
-- the ticket's one lease, and exposes the ticket to its rollouts.
-- Replies: 'admitted' | 'changed' (the snapshot is stale: read again and decide again)
local budget = KEYS[1]
local expiry = KEYS[2]
local leases = KEYS[3]
local reserved = KEYS[4]
local minute = KEYS[5]
local ticket_spend = KEYS[6]
local batch = KEYS[7]
local log = KEYS[8]
local queues = KEYS[9]
local batches = KEYS[10]
local shares = KEYS[11]
local leased_budgets = KEYS[12]
local rollouts = { unpack(KEYS, 13) } -- of the assignments
local now = ARGV[1]
local lease_id = ARGV[2]
local lease = ARGV[3] -- JSON
local controls_version = ARGV[4]
local definition_version = ARGV[5]
local limit = tonumber(ARGV[6])
local estimate = ARGV[7]
local max_running = ARGV[8] -- '' = no limit, here and in every other maximum
local max_starts = ARGV[9] -- per minute
local lease_expires_at = ARGV[10]
local budget_id = ARGV[11]
local ticket_id = ARGV[12]
local attempt = ARGV[13]
local minute_ttl_ms = ARGV[14]
local ticket_ttl_ms = ARGV[15]
local queue = ARGV[16]
local batch_id = ARGV[17] -- '' = no batch
local log_length = ARGV[18]
local share = ARGV[19] -- '' = no batch
local batch_max_running = ARGV[20]
local batch_max_starts = ARGV[21] -- per minute
local minute_index = ARGV[22]
local batch_max_cost = ARGV[23]
local pilot_size = ARGV[24] -- '' = there are no pilot tickets, or they have ended
local pilot_passed = ARGV[25] == '1'
local assignments = { unpack(ARGV, 26) } -- see rollouts.lua

local at = {
  budget = budget,
  expiry = expiry,
  leases = leases,
  reserved = reserved,
  minute = minute,
  ticket_spend = ticket_spend,
  batch = batch,
  log = log,
  queues = queues,
  batches = batches,
  shares = shares,
  leased_budgets = leased_budgets,
}
local ask = {
  now = now,
  lease_id = lease_id,
  lease = lease,
  controls_version = controls_version,
  definition_version = definition_version,
  limit = limit,
  estimate = estimate,
  max_running = max_running,
  max_starts = max_starts,
  lease_expires_at = lease_expires_at,
  budget_id = budget_id,
  ticket_id = ticket_id,
  attempt = attempt,
  minute_ttl_ms = minute_ttl_ms,
  ticket_ttl_ms = ticket_ttl_ms,
  queue = queue,
  batch_id = batch_id,
  log_length = log_length,
  share = share,
  batch_max_running = batch_max_running,
  batch_max_starts = batch_max_starts,
  minute_index = minute_index,
  batch_max_cost = batch_max_cost,
  pilot_size = pilot_size,
  pilot_passed = pilot_passed,
  rollouts = rollouts,
  assignments = assignments,
}
return commit_admission(at, ask)
