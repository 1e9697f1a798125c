-- Replaces a prompt's rollout if the stored one is the expected one.
-- Replies: {'set'} | {'conflict', stored rollout or ''}
local rollout = KEYS[1]
local expected = ARGV[1] -- JSON; '' = there is none
local new_rollout = ARGV[2] -- JSON; '' = delete it

local stored = redis.call('GET', rollout) or ''
if stored ~= expected then
  return { 'conflict', stored }
end
if new_rollout == '' then
  redis.call('DEL', rollout)
else
  redis.call('SET', rollout, new_rollout)
end
return { 'set' }
