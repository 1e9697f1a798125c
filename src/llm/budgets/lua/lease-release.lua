-- Ends a ticket's lease; its last turn is charged when nothing was reported and it is not said to
-- be unused. With an outcome it also ends the ticket, once: its cost joins the history
-- of its kind, its batch reserves only what its open tickets may still need, and its rollouts count
-- it as ended.
-- Replies: {} | {spent, started at, attempts} = this call ended the ticket
local budget = KEYS[1]
local expiry = KEYS[2]
local leases = KEYS[3]
local reserved = KEYS[4]
local shares = KEYS[5]
local ticket_spend = KEYS[6]
local kind_costs = KEYS[7]
local batch = KEYS[8]
local rollouts = { unpack(KEYS, 9) } -- of the assignments
local now = ARGV[1]
local lease_id = ARGV[2]
local outcome = ARGV[3] -- '' = the ticket has not ended
local ticket_ttl_ms = ARGV[4]
local share = ARGV[5] -- '' = no batch
local history_length = tonumber(ARGV[6])
local is_unused = ARGV[7] == '1' -- no request was made since the last admission
local assignments = { unpack(ARGV, 8) } -- see rollouts.lua

local function reduce_share_to_open_tickets()
  local per_ticket, queued, running, waiting = unpack(redis.call('HMGET', batch,
    'estimated_per_ticket', 'tickets:queued', 'tickets:running', 'tickets:waiting'))
  if share == '' or not per_ticket then
    return
  end
  local open = number_or_zero(queued) + number_or_zero(running) + number_or_zero(waiting)
  local left = number_or_zero(redis.call('HGET', shares, 'unleased:' .. share))
  reduce_share(budget, shares, share, left - open * per_ticket)
end

if is_unused then
  drop_lease(budget, expiry, leases, reserved, shares, lease_id)
else
  end_lease(budget, expiry, leases, reserved, shares, lease_id, now)
end
if outcome == '' then
  return {}
end
if #rollouts > 0 then
  rollout_tickets().expose(rollouts, assignments, now, ticket_spend)
end
reduce_share_to_open_tickets()
if redis.call('HSETNX', ticket_spend, 'finished', outcome) == 0 then
  return {}
end
redis.call('PEXPIRE', ticket_spend, ticket_ttl_ms)
local spent, started_at, attempts, counted_by = unpack(redis.call('HMGET', ticket_spend, 'spent',
  'started', 'attempts', 'rollouts'))
if counted_by then
  rollout_tickets().settle(counted_by, outcome, now)
end
-- The cost of a cancelled ticket does not say what a ticket of its kind costs.
if outcome ~= 'cancelled' then
  redis.call('LPUSH', kind_costs, spent or '0')
  redis.call('LTRIM', kind_costs, 0, history_length - 1)
end
return { spent or '0', started_at or now, attempts or '1' }
