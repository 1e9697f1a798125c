-- Takes a ticket for a worker, admits it, and marks it as running, when everything that an
-- admission depends on can be checked here. Whatever is unusual is left to the decision on facts,
-- which may admit what is not begun here, and never the other way round.
-- Replies: {} = ask the gate; only expired leases were ended
--   | {definition, kind, external reference, attempt, turn, saved, estimate, stage, failures,
--   created at} of the ticket, which has begun
local ticket = KEYS[1]
local counts = KEYS[2]
local heartbeats = KEYS[3]
local budget = KEYS[4]
local expiry = KEYS[5]
local leases = KEYS[6]
local reserved = KEYS[7]
local minute = KEYS[8]
local ticket_spend = KEYS[9]
local batch = KEYS[10] -- any key if the ticket has no batch
local log = KEYS[11]
local queues = KEYS[12]
local batches = KEYS[13]
local shares = KEYS[14]
local leased_budgets = KEYS[15]
local holder = ARGV[1]
local now = ARGV[2]
local slot = ARGV[3]
local retention_ms = ARGV[4]
local lease_id = ARGV[5]
local lease_head = ARGV[6] -- JSON of the lease without its attempt and what follows
local lease_expires_at = ARGV[7]
local budget_id = ARGV[8]
local ticket_id = ARGV[9]
local minute_ttl_ms = ARGV[10]
local ticket_ttl_ms = ARGV[11]
local queue = ARGV[12]
local batch_id = ARGV[13] -- '' = no batch
local log_length = ARGV[14]
local share = ARGV[15] -- '' = no batch
local minute_index = ARGV[16]

local state, reason, stored_budget, stored_batch, stored_queue, definition, kind, reference,
  attempt, turn, saved, estimate, stage, failures, created = unpack(redis.call('HMGET', ticket,
  'state', 'reason', 'budget', 'batch', 'queue', 'definition', 'kind', 'external_ref', 'attempt',
  'turn', 'saved', 'estimate', 'stage', 'failures', 'created'))
-- One that runs has lost its worker, one with a stage has work outside of the store, and what waits
-- for a recovery is not to be taken.
if (state ~= 'queued' and state ~= 'waiting') or stage ~= '' then
  return {}
end
if state == 'waiting' and (reason == 'recovery' or reason == 'worker_lost') then
  return {}
end
if stored_budget ~= budget_id or stored_batch ~= batch_id or stored_queue ~= queue then
  return {}
end
end_expired(budget, expiry, leases, reserved, shares, now)
local controls_text, version, definition_version, limit =
  unpack(redis.call('HMGET', budget, 'controls', 'version', 'definition_version', 'limit'))
-- With a lease the ticket is in flight, for which other rules hold.
if not controls_text or not limit or redis.call('ZSCORE', expiry, lease_id) then
  return {}
end

-- A limit as commit_admission takes it; nil = it is missing, and its default is not known here.
local function limit_of(value)
  if value == cjson.null then
    return ''
  end
  return value and integer_text(value)
end

local function exceeds(value, limit_text)
  return limit_text ~= '' and tonumber(value) > tonumber(limit_text)
end

local controls = cjson.decode(controls_text)
local max_running = limit_of(controls.limits.concurrency)
local max_starts = limit_of(controls.limits.ratePerMinute)
local max_attempts = limit_of(controls.limits.maxAttempts)
local ticket_cap = limit_of(controls.limits.perTicketCapMicroUsd)
local minute_cap = limit_of(controls.limits.perMinuteCapMicroUsd)
if not (max_running and max_starts and max_attempts and ticket_cap and minute_cap) then
  return {}
end
local ticket_spent = number_or_zero(redis.call('HGET', ticket_spend, 'spent'))
if controls.gate ~= 'open' or exceeds(attempt, max_attempts)
  or exceeds(ticket_spent, ticket_cap) then
  return {}
end
if minute_cap ~= ''
  and number_or_zero(redis.call('HGET', minute, 'spent')) >= tonumber(minute_cap) then
  return {}
end

local batch_max_running, batch_max_starts, batch_max_cost = '', '', ''
if batch_id ~= '' then
  -- commit_admission looks at the batch's state, gate and money.
  local limits_text, adapted, pilot_passed, succeeded, failed, dead, quarantined = unpack(
    redis.call('HMGET', batch, 'limits', 'concurrency_now', 'pilot_passed', 'tickets:succeeded',
    'tickets:failed', 'tickets:dead', 'tickets:quarantined'))
  if not limits_text then
    return {}
  end
  local limits = cjson.decode(limits_text)
  local batch_cap = limit_of(limits.perTicketCapMicroUsd)
  local deadline = limit_of(limits.deadlineAt)
  local pilot_tickets, min_for_ratio = limits.pilotTickets, limits.minForRatio
  local max_failure_ratio = limits.maxFailureRatio
  batch_max_running = limit_of(limits.concurrency)
  batch_max_starts = limit_of(limits.ratePerMinute)
  batch_max_cost = limit_of(limits.maxCostMicroUsd)
  if not (batch_cap and deadline and pilot_tickets and min_for_ratio and max_failure_ratio
    and batch_max_running and batch_max_starts and batch_max_cost) then
    return {}
  end
  if adapted and adapted ~= '' then
    batch_max_running = adapted
  end
  local unsuccessful = number_or_zero(failed) + number_or_zero(dead) + number_or_zero(quarantined)
  local judged = number_or_zero(succeeded) + unsuccessful
  -- A pilot is followed by the decision on facts until it has passed.
  if (pilot_tickets ~= 0 and pilot_passed ~= '1') or exceeds(ticket_spent, batch_cap)
    or (deadline ~= '' and tonumber(now) >= tonumber(deadline))
    or (judged >= min_for_ratio and unsuccessful / judged >= max_failure_ratio) then
    return {}
  end
end

local at = {
  ticket = ticket,
  counts = counts,
  heartbeats = heartbeats,
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
local answer = commit_admission(at, {
  now = now,
  lease_id = lease_id,
  lease = lease_head .. ',"attempt":' .. attempt .. ',"turn":' .. turn .. ',"estimate":' .. estimate
    .. ',"since":' .. now .. '}',
  controls_version = version,
  definition_version = definition_version,
  limit = tonumber(limit),
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
  pilot_size = '',
  pilot_passed = false,
  rollouts = {},
  assignments = {},
})
if answer ~= 'admitted' then
  return {}
end
write_ticket(at, 'claim', holder, now, 'running', { 'reason', '' }, slot, retention_ms)
return { definition, kind, reference, attempt, turn, saved, estimate, stage, failures, created }
