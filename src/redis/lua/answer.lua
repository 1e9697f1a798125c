-- A person's answer: exactly one wins. Written into the journal while nobody holds the run, and wakes it.
-- KEYS 1 question  2 run  3 journal  4 due  5 open questions
-- ARGV 1 run id  2 question id  3 expected head  4 new head  5 answered entry  6 expires at ms or ''  7 answer
-- Replies: 'ok' | 'already:<answer>' | 'expired' | 'conflict' (the head moved: read again) | 'not_found' | 'busy' (the worker has not let go yet)
local q = redis.call('HMGET', KEYS[1], 'run', 'answer')
if q[1] ~= ARGV[1] then return 'not_found' end
if q[2] then return 'already:' .. q[2] end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if ARGV[6] ~= '' and tonumber(ARGV[6]) < now then return 'expired' end
local v = redis.call('HMGET', KEYS[2], 'head', 'state', 'leaseUntil')
if not v[1] or v[2] == 'ended' then
  redis.call('ZREM', KEYS[5], ARGV[2])
  return 'not_found'
end
if tonumber(v[3] or '0') > now then return 'busy' end
if v[1] ~= ARGV[3] then return 'conflict' end
redis.call('HSET', KEYS[1], 'answer', ARGV[7])
redis.call('RPUSH', KEYS[3], ARGV[5])
redis.call('HSET', KEYS[2], 'head', ARGV[4], 'woken', '1', 'stalls', 0)
redis.call('ZREM', KEYS[5], ARGV[2])
redis.call('ZADD', KEYS[4], now, ARGV[1])
return 'ok'
