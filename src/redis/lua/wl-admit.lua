-- Makes an admission true, if what it was decided on still holds: reserves the estimate under the ticket's one lease.
-- KEYS 1 budget  2 expiry  3 leases  4 reserved  5 minute  6 ticket's spend  7 batch  8 log  9 queues  10 batches
-- ARGV 1 now  2 lease id  3 lease JSON  4 controls version  5 definition version  6 limit  7 estimate  8 concurrency or ''  9 rate or ''
--   10 lease expiry  11 budget id  12 ticket id  13 attempt  14 minute's lifetime ms  15 ticket's lifetime ms  16 queue  17 batch id or ''  18 log length
-- Replies: 'admitted' | 'changed' (read the facts and decide again)
local now = tonumber(ARGV[1])
local lease = ARGV[2]
wl_tidy(KEYS[1], KEYS[2], KEYS[3], KEYS[4], now)
local state = redis.call('HMGET', KEYS[1], 'version', 'definition_version', 'spent', 'committed')
if state[1] ~= ARGV[4] or state[2] ~= ARGV[5] then
  return 'changed'
end
local starts = redis.call('ZSCORE', KEYS[2], lease) == false
local own = tonumber(redis.call('HGET', KEYS[4], lease) or '0')
local estimate = tonumber(ARGV[7])
if tonumber(state[3]) + tonumber(state[4]) - own + estimate > tonumber(ARGV[6]) then
  return 'changed'
end
if starts and ARGV[8] ~= '' and redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[8]) then
  return 'changed'
end
if starts and ARGV[9] ~= '' and tonumber(redis.call('HGET', KEYS[5], 'started') or '0') >= tonumber(ARGV[9]) then
  return 'changed'
end
if ARGV[17] ~= '' and redis.call('HGET', KEYS[7], 'gate') == 'paused' then
  return 'changed'
end
if redis.call('HGET', KEYS[6], 'cancelled') then
  return 'changed'
end

wl_commit(KEYS[1], estimate - own)
redis.call('HSET', KEYS[4], lease, ARGV[7])
redis.call('HSET', KEYS[3], lease, ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[10], lease)
if starts then
  redis.call('HINCRBY', KEYS[5], 'started', 1)
  redis.call('PEXPIRE', KEYS[5], ARGV[14])
end
redis.call('HSETNX', KEYS[6], 'started', ARGV[1])
if tonumber(redis.call('HGET', KEYS[6], 'attempts') or '0') < tonumber(ARGV[13]) then
  redis.call('HSET', KEYS[6], 'attempts', ARGV[13])
end
redis.call('PEXPIRE', KEYS[6], ARGV[15])
redis.call('SADD', KEYS[9], ARGV[16])
if ARGV[17] ~= '' then
  redis.call('SADD', KEYS[10], ARGV[17])
end
redis.call('XADD', KEYS[8], 'MAXLEN', '~', ARGV[18], '*', 'kind', 'admitted', 'at', ARGV[1], 'budget', ARGV[11], 'ticket', ARGV[12], 'starts', starts and '1' or '0')
return 'admitted'
