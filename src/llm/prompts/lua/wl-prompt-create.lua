-- The next version of a prompt, or the one that has the same layout already.
-- KEYS 1 prompt (hash: latest, l:<label>)  2 versions (hash: number -> JSON, h:<hash> -> number)  3 index (sorted by name)
-- ARGV 1 name  2 hash of the layout  3 version JSON without its number
-- Replies: number of the version
local known = redis.call('HGET', KEYS[2], 'h:' .. ARGV[2])
if known then
  return tonumber(known)
end
local version = redis.call('HINCRBY', KEYS[1], 'latest', 1)
redis.call('HSET', KEYS[2], tostring(version), ARGV[3], 'h:' .. ARGV[2], tostring(version))
redis.call('ZADD', KEYS[3], 0, ARGV[1])
return version
