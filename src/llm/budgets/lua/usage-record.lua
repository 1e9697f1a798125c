-- Counts one usage report as it was decided from what was remembered of its id: settles the
-- ticket's lease, changes the spend of the period, the minute, the ticket with its rollouts, the
-- batch and the row, keeps the event, and remembers the report.
-- An unknown cost is the reservation of the turn, or else the estimate that is given.
-- Replies: {'recorded', letter of the cost's basis, what is charged under the id}
--   | {'changed', what is remembered, '' = nothing} = decide again | {'unknown_budget'}
local ids = KEYS[1] -- remembered reports of this day
local budget = KEYS[2]
local expiry = KEYS[3]
local leases = KEYS[4]
local reserved = KEYS[5]
local minute = KEYS[6]
local ticket_spend = KEYS[7]
local batch = KEYS[8]
local rows = KEYS[9]
local row_tickets = KEYS[10]
local usage_events = KEYS[11]
local usage_events_kept = KEYS[12]
local shares = KEYS[13]
local older_ids_and_rollouts = { unpack(KEYS, 14) } -- of earlier days; of the assignments
local now = ARGV[1]
local ids_ttl_ms = ARGV[2]
local id_field = ARGV[3]
local older_days = tonumber(ARGV[4])
local remembered = ARGV[5] -- what the decision is based on, '' = nothing
local next_head = ARGV[6] -- what is remembered next; a cost that is estimated here goes between
local next_tail = ARGV[7]
local is_estimated_here = ARGV[8] == '1'
local cost = tonumber(ARGV[9]) -- of all groups, or the estimate without a reservation
local basis = ARGV[10] -- a letter: r, p and s are estimates
local floor = tonumber(ARGV[11]) -- of the other groups, when the cost is estimated here
local floor_basis = ARGV[12]
local charged_before = tonumber(ARGV[13])
local estimated_before = tonumber(ARGV[14])
local counted_before_at = tonumber(ARGV[15])
local keeps_event = ARGV[16] == '1'
local lease_id = ARGV[17]
local lease_expires_at = ARGV[18]
local row = ARGV[19]
local overflow_row = ARGV[20]
local max_rows = tonumber(ARGV[21])
local input_tokens = ARGV[22] -- that are added, like the next two
local output_tokens = ARGV[23]
local unpriced_tokens = ARGV[24]
local row_ticket = ARGV[25] -- the row with the ticket and its attempt
local overflow_row_ticket = ARGV[26]
local event = ARGV[27] -- JSON without its cost and its end
local event_at = ARGV[28]
local rows_ttl_ms = ARGV[29]
local minute_ttl_ms = ARGV[30]
local ticket_ttl_ms = ARGV[31]
local attempt = ARGV[32]
local turn = ARGV[33]
local share = ARGV[34] -- '' = no batch
local rate_limited = ARGV[35] -- '1' = the provider replied 429, else '0'
local is_unpriced = ARGV[36] == '1' -- the cost is not known, or a part of it is not
local events_ttl_ms = ARGV[37]
local events_max_bytes = ARGV[38]
local assignments = { unpack(ARGV, 39) } -- see rollouts.lua

if redis.call('EXISTS', budget) == 0 then
  return { 'unknown_budget' }
end
local id_key = ids
local stored = redis.call('HGET', ids, id_field)
for day = 1, older_days do
  if not stored then
    id_key = older_ids_and_rollouts[day]
    stored = redis.call('HGET', id_key, id_field)
  end
end
if (stored or '') ~= remembered then
  return { 'changed', stored or '' }
end
local is_first = not stored
if is_first then
  id_key = ids
end
end_expired(budget, expiry, leases, reserved, shares, now)

-- A report may be the late one of a turn that was charged when its lease ended without any.
local replaced, replaced_at = 0, tonumber(now)
if is_first then
  replaced, replaced_at = take_unreported(ticket_spend,
    unreported_field(ticket_spend, attempt, turn), now)
end
local has_lease = redis.call('ZSCORE', expiry, lease_id) ~= false
if is_estimated_here then
  local reservation = replaced
  if reservation == 0 and has_lease then
    reservation = estimate_of_lease(leases, lease_id)
  end
  if reservation == 0 and share ~= '' then
    reservation = number_or_zero(redis.call('HGET', batch, 'estimated_per_ticket'))
  end
  if reservation > 0 then
    cost, basis = reservation, 'r'
  end
  next_head = next_head .. string.upper(basis) .. integer_text(cost)
  if floor > cost then
    cost, basis = floor, floor_basis
  end
end
local sources = { r = 'reservation', p = 'operation_p90', s = 'setting' }
local estimated = sources[basis] and cost or 0
redis.call('HSET', id_key, id_field, next_head .. next_tail)
if is_first then
  redis.call('PEXPIRE', ids, ids_ttl_ms)
end

local change = cost - charged_before
local charge = change - replaced

-- What is charged comes out of the lease's reservation first, then out of the batch's.
local settled = 0
if has_lease then
  if replaced == 0 then
    settled = settle_reservation(budget, reserved, shares, lease_id, charge)
    redis.call('HSET', shares, 'reported:' .. lease_id, '1')
  end
  redis.call('ZADD', expiry, 'XX', lease_expires_at, lease_id)
end
reduce_share(budget, shares, share, charge - settled)

add_spent(budget, charge, math.min(counted_before_at, replaced_at))
add_estimated(budget, estimated - estimated_before - replaced)
redis.call('HINCRBY', minute, 'spent', integer_text(math.max(0, charge)))
redis.call('PEXPIRE', minute, minute_ttl_ms)
redis.call('HINCRBY', ticket_spend, 'spent', integer_text(charge))
if is_unpriced then
  redis.call('HSET', ticket_spend, 'unpriced', '1')
end
redis.call('HSETNX', ticket_spend, 'started', now)
if #assignments > 0 then
  local rollouts = { unpack(older_ids_and_rollouts, older_days + 1) }
  rollout_tickets().expose(rollouts, assignments, now, ticket_spend)
end
local known_attempts, finished, counted_by =
  unpack(redis.call('HMGET', ticket_spend, 'attempts', 'finished', 'rollouts'))
if counted_by then
  rollout_tickets().settle(counted_by, finished or '', now)
end
if number_or_zero(known_attempts) < tonumber(attempt) then
  redis.call('HSET', ticket_spend, 'attempts', attempt)
end
redis.call('PEXPIRE', ticket_spend, ticket_ttl_ms)
local requests = is_first and 1 or 0
if redis.call('EXISTS', batch) == 1 then
  redis.call('HINCRBY', batch, 'spent', integer_text(charge))
  redis.call('HINCRBY', batch, 'requests', requests)
  redis.call('HINCRBY', batch, 'rate_limited', is_first and rate_limited or '0')
  redis.call('HINCRBY', batch, 'revision', 1)
end

-- A row has at least five fields.
if redis.call('HEXISTS', rows, 'requests:' .. row) == 0
  and redis.call('HLEN', rows) >= max_rows * 5 then
  row, row_ticket = overflow_row, overflow_row_ticket
end
redis.call('HINCRBY', rows, 'requests:' .. row, requests)
redis.call('HINCRBY', rows, 'cost:' .. row, integer_text(change))
redis.call('HINCRBY', rows, 'input_tokens:' .. row, input_tokens)
redis.call('HINCRBY', rows, 'output_tokens:' .. row, output_tokens)
redis.call('HINCRBY', rows, 'unpriced_tokens:' .. row, unpriced_tokens)
if estimated ~= estimated_before then
  redis.call('HINCRBY', rows, 'estimated:' .. row, integer_text(estimated - estimated_before))
end
redis.call('PEXPIRE', rows, rows_ttl_ms)
redis.call('SADD', row_tickets, row_ticket)
redis.call('PEXPIRE', row_tickets, rows_ttl_ms)
if keeps_event then
  if sources[basis] then
    event = event .. ',"estimated":"' .. sources[basis] .. '"'
  end
  local bytes = keep_event(usage_events, usage_events_kept, event_at,
    event .. ',"costMicroUsd":' .. integer_text(cost) .. '}')
  limit_events(usage_events, usage_events_kept, bytes, now, events_ttl_ms, events_max_bytes)
end
return { 'recorded', basis, integer_text(cost) }
