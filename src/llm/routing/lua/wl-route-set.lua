-- Compare-and-set of one route; a value begins with its version.
-- KEYS 1 routes (hash by id)
-- ARGV 1 id  2 expected version ('0': there is none)  3 new value
-- Replies: {'set'} | {'conflict', present value or ''}
local present = redis.call('HGET', KEYS[1], ARGV[1]) or ''
local version = string.match(present, '^%d+') or '0'
if version ~= ARGV[2] then
  return { 'conflict', present }
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return { 'set' }
