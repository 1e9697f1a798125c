-- Replaces one route if its version is the expected one. A stored route begins with its version.
-- Replies: {'set'} | {'conflict', stored route or ''}
local routes = KEYS[1]
local id = ARGV[1]
local expected_version = ARGV[2] -- '0' = there is none yet
local new_route = ARGV[3]

local route = redis.call('HGET', routes, id) or ''
local version = string.match(route, '^%d+') or '0'
if version ~= expected_version then
  return { 'conflict', route }
end
redis.call('HSET', routes, id, new_route)
return { 'set' }
