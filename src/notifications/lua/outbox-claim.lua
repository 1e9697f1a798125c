-- Leases the mail of a lane that is due first: its due time becomes the end of the lease, which
-- outbox-settle compares. A due time that was written in what is now the future was written before
-- the clock was set back, and counts as reached, whether it was the end of a lease or of a wait.
-- Replies: the mail's id | nil = none is due
local due = KEYS[1] -- of the lane
local written = KEYS[2] -- of the lane: when each due time was written
local now = ARGV[1]
local lease_until = ARGV[2]

-- Of two clocks the later one counts: the caller may not have heard yet that Redis' was set on.
local latest = math.max(tonumber(now), redis.call('TIME')[1] * 1000) + 1000
local future = string.format('(%.0f', latest)
local id = redis.call('ZRANGEBYSCORE', written, future, '+inf', 'LIMIT', 0, 1)[1]
  or redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, 1)[1]
if id then
  redis.call('ZADD', due, 'XX', lease_until, id)
  redis.call('ZADD', written, now, id)
end
return id
