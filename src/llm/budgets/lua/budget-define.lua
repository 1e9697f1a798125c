-- Creates a budget, or redefines its limit and period. Its controls, spend and leases stay.
-- Replies: 1
local budgets = KEYS[1]
local budget = KEYS[2]
local expiry = KEYS[3]
local leases = KEYS[4]
local reserved = KEYS[5]
local shares = KEYS[6]
local now = ARGV[1]
local id = ARGV[2]
local definition = ARGV[3] -- JSON
local limit = ARGV[4]
local period_ms = ARGV[5]
local period_start = ARGV[6] -- of the current period
local first_controls = ARGV[7] -- JSON

end_expired(budget, expiry, leases, reserved, shares, now)
redis.call('SADD', budgets, id)
redis.call('HSETNX', budget, 'controls', first_controls)
redis.call('HSETNX', budget, 'version', '1')
redis.call('HSETNX', budget, 'spent', '0')
redis.call('HSETNX', budget, 'committed', '0')
redis.call('HSET', budget, 'definition', definition, 'limit', limit, 'period_ms', period_ms,
  'period_start', period_start)
redis.call('HINCRBY', budget, 'definition_version', 1)
return 1
