-- Moves a label of a prompt to another version if it is on the expected one.
-- Replies: {'moved'} | {'conflict', its version or ''} | {'not_found'} = no such prompt or version
local prompt = KEYS[1]
local versions = KEYS[2]
local label = ARGV[1]
local expected_version = ARGV[2] -- '' = the label does not exist
local new_version = ARGV[3] -- '' = remove the label

if redis.call('EXISTS', prompt) == 0 then
  return { 'not_found' }
end
if new_version ~= '' and redis.call('HEXISTS', versions, new_version) == 0 then
  return { 'not_found' }
end
local field = 'label:' .. label
local version = redis.call('HGET', prompt, field) or ''
if version ~= expected_version then
  return { 'conflict', version }
end
if new_version == '' then
  redis.call('HDEL', prompt, field)
else
  redis.call('HSET', prompt, field, new_version)
end
return { 'moved' }
