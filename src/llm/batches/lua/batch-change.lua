-- Writes fields of a batch that has not ended.
-- Replies: 'set' | 'conflict' | 'missing' | 'over' (it has ended)
local batch = KEYS[1]
local active_batches = KEYS[2]
local expected_version = ARGV[1] -- '' = any
local is_active = ARGV[2] == '1' -- from now on it must be reconciled
local raises_version = ARGV[3] == '1'
local fields = { unpack(ARGV, 4) } -- name, value, …

local state, version, id = unpack(redis.call('HMGET', batch, 'state', 'version', 'id'))
if not state then
  return 'missing'
end
if state == 'cancelled' or state == 'done' then
  return 'over'
end
if expected_version ~= '' and expected_version ~= (version or '0') then
  return 'conflict'
end
if #fields > 0 then
  redis.call('HSET', batch, unpack(fields))
end
if is_active then
  redis.call('SADD', active_batches, id)
end
if raises_version then
  redis.call('HINCRBY', batch, 'version', 1)
end
redis.call('HINCRBY', batch, 'revision', 1)
return 'set'
