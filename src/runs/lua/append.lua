-- The one write of a worker: journal entries, what they claim, the projection, the lease. Fenced by the token, ordered by the head.
-- KEYS 1 run  2 journal  3 due  4 run's locks  5 fenced counter  6 question  7 open questions  8 open runs  9 freezes  10 frozen runs  11.. claims, then cooldown buckets
-- ARGV 1 run id  2 token  3 expected head  4 new head  5 lease ms  6 state  7 summary JSON  8 release: '' keep | 'none' | due ms  9 run lifetime ms after its end
--      10 question JSON or ''  11 question id  12 count of entries  13 count of claims  14 count of cooldowns  15/16 '1' = a stop / a resolve was heard  17 '1' = an effect follows  18 freeze query or '' (see freeze.lua)  19.. entries, claims (4 each), cooldown ms each
-- Replies: {'fenced'} | {'frozen', freeze JSON} | {'stopped', stop by, stop reason, resolved} | {'refused', claim index, holder, retry after ms} | {'ok', stop by, stop reason, resolved}
local v = redis.call('HMGET', KEYS[1], 'token', 'head', 'stopBy', 'stopReason', 'resolved', 'state', 'leaseUntil')
if v[1] ~= ARGV[2] or v[6] == 'ended' and v[2] ~= ARGV[4] then
  redis.call('INCR', KEYS[5])
  return { 'fenced' }
end
-- The same write again, after a reply that was lost on the way: it is done.
if v[2] == ARGV[4] and ARGV[12] ~= '0' then return { 'ok', v[3] or '', v[4] or '', v[5] or '' } end
if v[2] ~= ARGV[3] then
  redis.call('INCR', KEYS[5])
  return { 'fenced' }
end
if ARGV[17] == '1' and v[3] and ARGV[15] == '0' then return { 'stopped', v[3], v[4] or '', v[5] or '' } end
local frozen = standing_freeze(KEYS[9], ARGV[18])
if frozen then
  redis.call('SADD', KEYS[10], ARGV[1])
  return { 'frozen', frozen }
end
local entries, claims, cooldowns = tonumber(ARGV[12]), tonumber(ARGV[13]), tonumber(ARGV[14])
local refused = take_claims(KEYS, 11, ARGV, 19 + entries, claims, ARGV[1], KEYS[4])
if refused then return { 'refused', refused[1], refused[2], refused[3] } end

local now = now_ms()
if entries > 0 then redis.call('RPUSH', KEYS[2], unpack(ARGV, 19, 18 + entries)) end
-- A lease that was prolonged just now is not prolonged again: quick steps follow each other closer than that.
local prolong = ARGV[8] == '' and tonumber(v[7] or '0') - now < ARGV[5] * 5 / 6
if prolong then
  redis.call('HSET', KEYS[1], 'head', ARGV[4], 'state', ARGV[6], 'summary', ARGV[7], 'stalls', 0, 'leaseUntil', now + ARGV[5])
  redis.call('ZADD', KEYS[3], now + ARGV[5], ARGV[1])
else
  redis.call('HSET', KEYS[1], 'head', ARGV[4], 'state', ARGV[6], 'summary', ARGV[7], 'stalls', 0)
end
if ARGV[10] ~= '' then
  redis.call('HSET', KEYS[6], 'question', ARGV[10], 'run', ARGV[1])
  redis.call('ZADD', KEYS[7], now, ARGV[11])
end
if ARGV[8] == '' then
  return { 'ok', v[3] or '', v[4] or '', v[5] or '' }
end
-- What the run waits for now; a question that it no longer waits for is over. A run that is only handed on waits for what it waited for.
if ARGV[6] ~= 'queued' then
  local asked = redis.call('HGET', KEYS[1], 'question')
  if asked and asked ~= '' and asked ~= ARGV[11] then redis.call('ZREM', KEYS[7], asked) end
  if asked or ARGV[11] ~= '' then redis.call('HSET', KEYS[1], 'question', ARGV[11]) end
end
if ARGV[6] == 'ended' then
  for _, lock in ipairs(redis.call('SMEMBERS', KEYS[4])) do
    if redis.call('GET', lock) == ARGV[1] then redis.call('DEL', lock) end
  end
  redis.call('DEL', KEYS[4])
  redis.call('SREM', KEYS[8], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('HDEL', KEYS[1], 'token', 'owner', 'leaseUntil')
  redis.call('PEXPIRE', KEYS[1], ARGV[9])
  redis.call('PEXPIRE', KEYS[2], ARGV[9])
  for i = 0, cooldowns - 1 do
    -- The start may have claimed a longer one, doubled by its repeats: that one stays.
    local cooldown = KEYS[11 + claims + i]
    redis.call('SET', cooldown, 1, 'PX', math.max(tonumber(ARGV[19 + entries + claims * 4 + i]), redis.call('PTTL', cooldown)))
  end
else
  redis.call('HDEL', KEYS[1], 'token', 'owner', 'leaseUntil')
  -- A stop or a resolve that the worker has not heard of yet must not sleep through the wait.
  if ARGV[8] == 'none' then
    redis.call('HSET', KEYS[1], 'wakeAt', -1)
    redis.call('ZREM', KEYS[3], ARGV[1])
  else
    redis.call('HSET', KEYS[1], 'wakeAt', ARGV[8])
    redis.call('ZADD', KEYS[3], ARGV[8], ARGV[1])
  end
  if v[3] and ARGV[15] == '0' or v[5] and ARGV[16] == '0' then
    redis.call('HSET', KEYS[1], 'woken', '1')
    redis.call('ZADD', KEYS[3], now, ARGV[1])
  end
end
return { 'ok', v[3] or '', v[4] or '', v[5] or '' }
