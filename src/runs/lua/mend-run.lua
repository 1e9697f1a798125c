-- Puts one open run right that nobody would look at again. Changes nothing that is in order.
-- KEYS 1 run  2 due  3 open runs   ARGV 1 run id
-- Replies: 'ok' | 'gone' (it was listed as open and is not there) | 'ended' (it was listed as open and had ended) | 'not_due'
local v = redis.call('HMGET', KEYS[1], 'state', 'wakeAt')
if not v[1] then
  redis.call('SREM', KEYS[3], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 'gone'
end
if v[1] == 'ended' then
  redis.call('SREM', KEYS[3], ARGV[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 'ended'
end
-- A run that waits for a person without an end of its time, and a damaged one, are not due.
local waits = v[1] == 'damaged' or ((v[1] == 'suspended' or v[1] == 'in_doubt') and tonumber(v[2] or '-1') < 0)
if waits or redis.call('ZSCORE', KEYS[2], ARGV[1]) then return 'ok' end
local t = redis.call('TIME')
redis.call('ZADD', KEYS[2], t[1] * 1000 + math.floor(t[2] / 1000), ARGV[1])
return 'not_due'
