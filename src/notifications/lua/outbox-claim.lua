-- Leases the mail of a lane that is due first: its due time becomes the end of the lease, which
-- outbox-settle compares. A lease that ends later than the new one would was given before the clock
-- was set back, and counts as over.
-- Replies: the mail's id | nil = none is due
local due = KEYS[1] -- of the lane
local leased = KEYS[2] -- of the lane
local now = ARGV[1]
local lease_until = ARGV[2]

-- Of two clocks the later one counts: the caller may not have heard yet that Redis' was set on.
local latest = math.max(tonumber(now), redis.call('TIME')[1] * 1000) + lease_until - now + 1000
local from = string.format('(%.0f', latest)
local id = redis.call('ZRANGEBYSCORE', leased, from, '+inf', 'LIMIT', 0, 1)[1]
  or redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, 1)[1]
if id then
  redis.call('ZADD', due, 'XX', lease_until, id)
  redis.call('ZADD', leased, lease_until, id)
end
return id
