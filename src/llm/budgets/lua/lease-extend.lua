-- Extends a live lease. An expired lease is never revived.
-- Replies: 1 = extended | 0 = there is no such lease, or it has expired
local expiry = KEYS[1]
local now = tonumber(ARGV[1])
local lease_id = ARGV[2]
local new_expires_at = ARGV[3]

local expires_at = redis.call('ZSCORE', expiry, lease_id)
if not expires_at or tonumber(expires_at) <= now then
  return 0
end
redis.call('ZADD', expiry, new_expires_at, lease_id)
return 1
