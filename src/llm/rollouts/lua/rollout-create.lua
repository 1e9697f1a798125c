-- Creates a rollout, and drops those that ended long ago.
-- Replies: {'created'} | {'present', the rollout with this id} | {'busy', the live rollout of the
--   target} | {'too_many'}
local rollouts = KEYS[1]
local live = KEYS[2] -- target = id of its live rollout
local rollout = KEYS[3]
local id = ARGV[1]
local target = ARGV[2]
local new_rollout = ARGV[3] -- version and JSON
local max_live = tonumber(ARGV[4])
local salt = ARGV[5]
local deadline_ms = ARGV[6]
local lag_ms = ARGV[7]
local dropped_ids = { unpack(ARGV, 8) }

for _, dropped in ipairs(dropped_ids) do
  redis.call('HDEL', rollouts, dropped)
end
local present = redis.call('HGET', rollouts, id)
if present then
  return { 'present', present }
end
local busy = redis.call('HGET', live, target)
if busy then
  return { 'busy', redis.call('HGET', rollouts, busy) }
end
if redis.call('HLEN', live) >= max_live then
  return { 'too_many' }
end
redis.call('HSET', rollouts, id, new_rollout)
redis.call('HSET', live, target, id)
redis.call('DEL', rollout, rollout .. ':tickets', rollout .. ':strata', rollout .. ':deadlines',
  rollout .. ':baseline-times', rollout .. ':canary-times')
redis.call('HSET', rollout, 'state', 'planned', 'step', '-1', 'salt', salt, 'largest_share', '0',
  'deadline_ms', deadline_ms, 'lag_ms', lag_ms, 'step_of:0', '-1')
return { 'created' }
