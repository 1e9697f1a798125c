-- Replaces a rollout if its version is the expected one. A stored rollout begins with its version.
-- Replies: {'set'} | {'conflict', stored rollout or ''}
local rollouts = KEYS[1]
local live = KEYS[2] -- target = id of its live rollout
local rollout = KEYS[3]
local id = ARGV[1]
local expected_version = ARGV[2]
local new_rollout = ARGV[3] -- version and JSON
local target = ARGV[4]
local state = ARGV[5]
local step = ARGV[6]
local share = ARGV[7] -- '' = tickets are not counted
local largest_share = ARGV[8]
local deadline_ms = ARGV[9]
local lag_ms = ARGV[10]
local now = ARGV[11]
local end_ttl_ms = ARGV[12] -- '' = the rollout is live

local present = redis.call('HGET', rollouts, id) or ''
if string.match(present, '^%d+') ~= expected_version then
  return { 'conflict', present }
end
redis.call('HSET', rollouts, id, new_rollout)
redis.call('HSET', rollout, 'state', state, 'step', step, 'largest_share', largest_share,
  'deadline_ms', deadline_ms, 'lag_ms', lag_ms)
if share ~= '' then
  local smallest = redis.call('HGET', rollout, 'smallest_share')
  if not smallest or tonumber(share) < tonumber(smallest) then
    redis.call('HSET', rollout, 'smallest_share', share)
  end
  redis.call('HSETNX', rollout, 'began', now)
  redis.call('HSETNX', rollout, 'step_of:' .. share, step)
end
if end_ttl_ms ~= '' then
  if redis.call('HGET', live, target) == id then
    redis.call('HDEL', live, target)
  end
  rollout_tickets().expire(rollout, end_ttl_ms)
end
return { 'set' }
