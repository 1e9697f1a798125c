-- Keeps a live lease. KEYS 1 expiry  ARGV 1 now  2 lease id  3 new expiry. Replies 1, or 0 when it is gone: an expired lease is never revived.
local expires = redis.call('ZSCORE', KEYS[1], ARGV[2])
if not expires or tonumber(expires) <= tonumber(ARGV[1]) then
  return 0
end
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
return 1
