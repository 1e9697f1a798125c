-- Replaces one flag if its version is the expected one. A stored flag begins with its version.
-- Replies: {'set'} | {'conflict', stored flag or ''} | {'full'}
local flags = KEYS[1]
local key = ARGV[1]
local expected_version = ARGV[2] -- '0' = there is none yet
local new_flag = ARGV[3]
local max_flags = tonumber(ARGV[4])

local flag = redis.call('HGET', flags, key) or ''
local version = string.match(flag, '^%d+') or '0'
if version ~= expected_version then
  return { 'conflict', flag }
end
if flag == '' and redis.call('HLEN', flags) >= max_flags then
  return { 'full' }
end
redis.call('HSET', flags, key, new_flag)
return { 'set' }
