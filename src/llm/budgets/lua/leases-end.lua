-- Ends the expired leases of one budget that nothing else has touched since.
-- Replies: 1
local budget = KEYS[1]
local expiry = KEYS[2]
local leases = KEYS[3]
local reserved = KEYS[4]
local shares = KEYS[5]
local leased_budgets = KEYS[6]
local now = ARGV[1]
local budget_id = ARGV[2]

end_expired(budget, expiry, leases, reserved, shares, now)
local next_lease = redis.call('ZRANGE', expiry, 0, 0, 'WITHSCORES')
if #next_lease == 0 then
  redis.call('ZREM', leased_budgets, budget_id)
else
  redis.call('ZADD', leased_budgets, next_lease[2], budget_id)
end
return 1
