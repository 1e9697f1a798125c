-- Leaves a notice for the worker that has the run, and wakes the run if no worker has it.
-- Replies: 'ok' | 'ended' | 'unknown_run'
local run = KEYS[1]
local due = KEYS[2]
local feed = KEYS[3]
local run_id = ARGV[1]
local kind = ARGV[2] -- 'stop' | 'resolved' | 'wake'
local by = ARGV[3]
local reason = ARGV[4]

local state = redis.call('HGET', run, 'state')
if not state then
  return 'unknown_run'
end
if state == 'ended' then
  return 'ended'
end
if kind == 'stop' then
  redis.call('HSET', run, 'stopBy', by, 'stopReason', reason)
  publish_run(feed, run_id)
elseif kind == 'resolved' then
  redis.call('HSET', run, 'resolved', reason)
end
if state ~= 'running' then
  redis.call('HSET', run, 'woken', '1')
  redis.call('ZADD', due, now_ms(), run_id)
end
return 'ok'
