-- Makes one decision of intake true: the episode's new state and, with it or not at all, a new run.
-- KEYS 1 episode  2 run  3 journal  4 due  5 runs index  6 open run of (runbook, target)  7 run's locks  8 runbook bytes  9 open runs  10 freezes  11 new episodes  12.. claims
-- ARGV 1 expected version  2 episode JSON  3 episode lifetime ms  4 '1' = start a run  5 run id  6 accepted entry  7 head  8 summary JSON  9 why run ARGV 5 hears that its alert has resolved, or ''  10 freeze query or '' (see freeze.lua)  11 count of claims  12.. claims
-- Replies: {'conflict'} | {'updated'} | {'joined', run id} | {'created', run id} | {'refused', claim index, retry after ms} | {'no_runbook'} | {'frozen', freeze JSON}
local version = tonumber(redis.call('HGET', KEYS[1], 'v') or '0')
if version ~= tonumber(ARGV[1]) then return { 'conflict' } end

local function write_episode(run)
  redis.call('HSET', KEYS[1], 'v', version + 1, 'e', ARGV[2], 'run', run)
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
end

if ARGV[4] ~= '1' then
  local state = ARGV[9] ~= '' and redis.call('HGET', KEYS[2], 'state')
  if state and state ~= 'ended' then
    redis.call('HSET', KEYS[2], 'resolved', ARGV[9])
    if state ~= 'running' then
      redis.call('HSET', KEYS[2], 'woken', '1')
      redis.call('ZADD', KEYS[4], now_ms(), ARGV[5])
    end
  end
  write_episode(redis.call('HGET', KEYS[1], 'run') or '')
  return { 'updated' }
end
-- What begins counts for the storm, whether or not it starts a run: each once while it is counted.
redis.call('ZADD', KEYS[11], 'NX', now_ms(), KEYS[1])
redis.call('ZREMRANGEBYSCORE', KEYS[11], '-inf', now_ms() - 300000)
local frozen = standing_freeze(KEYS[10], ARGV[10])
if frozen then return { 'frozen', frozen } end
local open = redis.call('GET', KEYS[6])
if open then
  write_episode(open)
  return { 'joined', open }
end
if redis.call('EXISTS', KEYS[8]) == 0 then return { 'no_runbook' } end
local refused = take_claims(KEYS, 12, ARGV, 12, tonumber(ARGV[11]), ARGV[5], KEYS[7])
if refused then return { 'refused', refused[1], refused[3] } end
local now = now_ms()
write_episode(ARGV[5])
redis.call('SET', KEYS[6], ARGV[5])
redis.call('SADD', KEYS[7], KEYS[6])
redis.call('HSET', KEYS[2], 'state', 'queued', 'epoch', '0', 'stalls', 0, 'head', ARGV[7], 'summary', ARGV[8])
redis.call('RPUSH', KEYS[3], ARGV[6])
redis.call('ZADD', KEYS[4], now, ARGV[5])
redis.call('ZADD', KEYS[5], now, ARGV[5])
redis.call('SADD', KEYS[9], ARGV[5])
-- The list forgets what has expired: runs are kept for 30 days after their end, and open ones are in KEYS 9 too.
redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', now - 7776000000)
return { 'created', ARGV[5] }
