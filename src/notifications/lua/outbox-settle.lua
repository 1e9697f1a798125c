-- Records the result of one attempt to send a leased mail.
-- Replies: 1 = recorded | 0 = the caller no longer has the lease; nothing was written
local row = KEYS[1]
local due = KEYS[2] -- of the lane
local waiting = KEYS[3]
local gave_up = KEYS[4]
local lanes = KEYS[5]
local written = KEYS[6] -- of the lane: when each due time was written
local id = ARGV[1]
local lease_until = tonumber(ARGV[2])
local result = ARGV[3] -- 'sent' | 'gave_up' | 'retry' | 'later' (not attempted)
local at = ARGV[4] -- ms: when it was sent or given up, or when it is due again
local detail = ARGV[5] -- Message-ID or error
local retention_days = ARGV[6]
local lane = ARGV[7]
local now = ARGV[8]

local lease = redis.call('ZSCORE', due, id)
if not lease or tonumber(lease) ~= lease_until then
  return 0
end
if result == 'later' then
  redis.call('ZADD', due, at, id)
  redis.call('ZADD', written, now, id)
  return 1
end
redis.call('HINCRBY', row, 'attempts', 1)
if result == 'retry' then
  redis.call('HSET', row, 'error', detail)
  redis.call('ZADD', due, at, id)
  redis.call('ZADD', written, now, id)
  return 1
end
local detail_field = result == 'sent' and 'messageId' or 'error'
redis.call('HSET', row, 'state', result, 'at', at, detail_field, detail)
redis.call('ZREM', due, id)
redis.call('ZREM', written, id)
if redis.call('EXISTS', due) == 0 then
  redis.call('SREM', lanes, lane)
end
redis.call('ZREM', waiting, id)
redis.call('EXPIRE', row, retention_days * 86400)
if result == 'gave_up' then
  redis.call('ZADD', gave_up, at, id)
end
redis.call('ZREMRANGEBYSCORE', gave_up, '-inf', at - retention_days * 86400000)
return 1
