-- Prolongs a lease. An expired lease is never revived.
-- KEYS 1 run  2 due   ARGV 1 run id  2 token  3 lease ms
-- Replies: {0} lost | {1, stop by, stop reason, resolved}
local v = redis.call('HMGET', KEYS[1], 'token', 'leaseUntil', 'stopBy', 'stopReason', 'resolved')
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if v[1] ~= ARGV[2] or tonumber(v[2] or '0') < now then return { 0 } end
redis.call('HSET', KEYS[1], 'leaseUntil', now + ARGV[3])
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[1])
return { 1, v[3] or '', v[4] or '', v[5] or '' }
