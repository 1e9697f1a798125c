-- Opens a draft batch and reserves its estimated cost, if its budget has room for it.
-- Replies: {'submitted'} | {'joined'} = it was submitted before | {'missing'} | {'no_budget'}
--   | {'not_draft', state} | {'changed', tickets} = the estimate is of other tickets
--   | {'refused', spent, committed, limit}
local budget = KEYS[1]
local expiry = KEYS[2]
local leases = KEYS[3]
local reserved = KEYS[4]
local shares = KEYS[5]
local batch = KEYS[6]
local active_batches = KEYS[7]
local now = ARGV[1]
local share = ARGV[2]
local tickets = ARGV[3]
local p90_cost = tonumber(ARGV[4]) -- of the whole batch; this is reserved
local cost_per_ticket = ARGV[5] -- of the p90, rounded up
local p50_cost = ARGV[6] -- of the whole batch

local state, sealed, waiting, id =
  unpack(redis.call('HMGET', batch, 'state', 'sealed', 'tickets:waiting', 'id'))
if not state then
  return { 'missing' }
end
if state ~= 'draft' then
  if sealed and state ~= 'cancelled' then
    return { 'joined' }
  end
  return { 'not_draft', state }
end
if (waiting or '0') ~= tickets then
  return { 'changed', waiting or '0' }
end
if redis.call('EXISTS', budget) == 0 then
  return { 'no_budget' }
end
end_expired(budget, expiry, leases, reserved, shares, now)
local spent, committed, limit =
  unpack(redis.call('HMGET', budget, 'spent', 'committed', 'limit'))
if spent + committed + p90_cost > tonumber(limit) then
  return { 'refused', spent, committed, limit }
end
add_committed(budget, p90_cost)
redis.call('HSET', shares, 'unleased:' .. share, p90_cost)
redis.call('HSET', batch, 'state', 'open', 'sealed', '1', 'submitted', now,
  'estimated_tickets', tickets, 'estimated_p90', p90_cost, 'estimated_p50', p50_cost,
  'estimated_per_ticket', cost_per_ticket)
redis.call('HINCRBY', batch, 'version', 1)
redis.call('HINCRBY', batch, 'revision', 1)
redis.call('SADD', active_batches, id)
return { 'submitted' }
