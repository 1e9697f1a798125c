-- Creates a budget, or redefines its limit and period. Its controls, spend and leases stay.
-- Replies: 'defined' | 'full' (it would be a new budget, and there are as many as are allowed)
local budgets = KEYS[1]
local budget = KEYS[2]
local expiry = KEYS[3]
local leases = KEYS[4]
local reserved = KEYS[5]
local shares = KEYS[6]
local queues = KEYS[7]
local now = ARGV[1]
local id = ARGV[2]
local definition = ARGV[3] -- JSON
local limit = ARGV[4]
local period_ms = ARGV[5]
local period_start = ARGV[6] -- of the current period
local first_controls = ARGV[7] -- JSON
local max_budgets = tonumber(ARGV[8])

local is_new = redis.call('SISMEMBER', budgets, id) == 0
if is_new and redis.call('SCARD', budgets) >= max_budgets then
  return 'full'
end

end_expired(budget, expiry, leases, reserved, shares, now)
redis.call('SADD', budgets, id)
if is_new then
  write_queue_names(budget, queues)
end
redis.call('HSETNX', budget, 'controls', first_controls)
redis.call('HSETNX', budget, 'version', '1')
redis.call('HSETNX', budget, 'spent', '0')
redis.call('HSETNX', budget, 'committed', '0')
redis.call('HSET', budget, 'definition', definition, 'limit', limit, 'period_ms', period_ms,
  'period_start', period_start)
redis.call('HINCRBY', budget, 'definition_version', 1)
return 'defined'
