-- A person's answer: a consent that is still to be joined by others is kept beside the question; the answer that decides is written into the
-- journal while nobody holds the run, and wakes it. Exactly one decides.
-- KEYS 1 question  2 run  3 journal  4 due  5 open questions  6 consents (name → JSON)
-- ARGV 1 run id  2 question id  3 expected head  4 new head  5 answered entry  6 expires at ms or ''  7 answer or, when more are needed, consent
--      8 'decide' | 'consent' | 'alone' (one person decides: consents do not matter)  9 who  10 count of consents that the caller saw  11 days to keep
-- Replies: 'ok' | 'recorded' | 'counted' (this person has consented already) | 'already:<answer>' | 'expired' | 'over' (the run does not wait for it any more)
--          | 'conflict' (the head or the consents moved: read again) | 'not_found' | 'busy' (the worker has not let go yet)
local q = redis.call('HMGET', KEYS[1], 'run', 'answer')
if q[1] ~= ARGV[1] then return 'not_found' end
if q[2] then return 'already:' .. q[2] end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if ARGV[6] ~= '' and tonumber(ARGV[6]) < now then return 'expired' end
local v = redis.call('HMGET', KEYS[2], 'head', 'state', 'leaseUntil', 'stopBy', 'question', 'woken')
-- A stop that the worker has still to hear of comes before any answer.
if not v[1] or v[2] == 'ended' or v[4] and v[6] then
  redis.call('ZREM', KEYS[5], ARGV[2])
  return 'over'
end
if tonumber(v[3] or '0') > now then return 'busy' end
-- The worker went on without an answer, or asks something else now.
if v[5] and v[5] ~= ARGV[2] then return 'over' end
local keep = ARGV[11] * 86400
if ARGV[8] ~= 'alone' then
  if redis.call('HEXISTS', KEYS[6], ARGV[9]) == 1 then return 'counted' end
  if redis.call('HLEN', KEYS[6]) ~= tonumber(ARGV[10]) then return 'conflict' end
end
if ARGV[8] == 'consent' then
  redis.call('HSET', KEYS[6], ARGV[9], ARGV[7])
  redis.call('EXPIRE', KEYS[6], keep)
  return 'recorded'
end
if v[1] ~= ARGV[3] then return 'conflict' end
redis.call('HSET', KEYS[1], 'answer', ARGV[7])
redis.call('EXPIRE', KEYS[1], keep)
redis.call('RPUSH', KEYS[3], ARGV[5])
redis.call('HSET', KEYS[2], 'head', ARGV[4], 'woken', '1', 'stalls', 0)
redis.call('ZREM', KEYS[5], ARGV[2])
redis.call('ZADD', KEYS[4], now, ARGV[1])
return 'ok'
