-- Leaves a notice for the holder of a run and wakes the run if nobody holds it.
-- KEYS 1 run  2 due   ARGV 1 run id  2 'stop' | 'resolved' | 'wake'  3 by  4 reason
-- Replies: 'ok' | 'ended' | 'unknown_run'
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return 'unknown_run' end
if state == 'ended' then return 'ended' end
if ARGV[2] == 'stop' then
  redis.call('HSET', KEYS[1], 'stopBy', ARGV[3], 'stopReason', ARGV[4])
elseif ARGV[2] == 'resolved' then
  redis.call('HSET', KEYS[1], 'resolved', ARGV[4])
end
if state ~= 'running' then
  local t = redis.call('TIME')
  redis.call('HSET', KEYS[1], 'woken', '1')
  redis.call('ZADD', KEYS[2], t[1] * 1000 + math.floor(t[2] / 1000), ARGV[1])
end
return 'ok'
