-- Extends a live lease. An expired lease is never revived.
-- Replies: {0} = lost | {1, stop by, stop reason, resolved}
local run = KEYS[1]
local due = KEYS[2]
local run_id = ARGV[1]
local token = ARGV[2]
local lease_ms = ARGV[3]

local stored_token, lease_until, stop_by, stop_reason, resolved =
  unpack(redis.call('HMGET', run, 'token', 'leaseUntil', 'stopBy', 'stopReason', 'resolved'))
local now = now_ms()
if stored_token ~= token or tonumber(lease_until or '0') < now then
  return { 0 }
end
redis.call('HSET', run, 'leaseUntil', now + lease_ms)
redis.call('ZADD', due, now + lease_ms, run_id)
return { 1, stop_by or '', stop_reason or '', resolved or '' }
