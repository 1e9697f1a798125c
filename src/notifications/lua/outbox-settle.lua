-- Writes what became of a leased mail.
-- KEYS: 1 row, 2 due, 3 waiting, 4 gave up. ARGV: 1 id, 2 end of the lease ms, 3 sent|retry|later|gave_up, 4 time ms (at, or due again), 5 Message-ID or error, 6 days to keep.
-- Returns 1, or 0 when the lease is not the caller's any more; nothing is written then.
local lease = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not lease or tonumber(lease) ~= tonumber(ARGV[2]) then return 0 end
local kind = ARGV[3]
if kind == 'later' then
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
  return 1
end
redis.call('HINCRBY', KEYS[1], 'attempts', 1)
if kind == 'retry' then
  redis.call('HSET', KEYS[1], 'error', ARGV[5])
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
  return 1
end
redis.call('HSET', KEYS[1], 'state', kind, 'at', ARGV[4], kind == 'sent' and 'messageId' or 'error', ARGV[5])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('EXPIRE', KEYS[1], ARGV[6] * 86400)
if kind == 'gave_up' then redis.call('ZADD', KEYS[4], ARGV[4], ARGV[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', ARGV[4] - ARGV[6] * 86400000)
return 1
