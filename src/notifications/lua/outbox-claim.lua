-- Leases the mail of a lane that is due first: its due time becomes the end of the lease,
-- which outbox-settle compares.
-- Replies: the mail's id | nil = none is due
local due = KEYS[1] -- of the lane
local now = ARGV[1]
local lease_until = ARGV[2]

local id = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, 1)[1]
if id then
  redis.call('ZADD', due, 'XX', lease_until, id)
end
return id
