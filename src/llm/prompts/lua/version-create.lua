-- Adds a version to a prompt, unless one with the same layout exists.
-- Replies: number of the new or the existing version
local prompt = KEYS[1] -- latest | label:<label>: version
local versions = KEYS[2] -- <version>: JSON | layout:<hash>: version
local prompts = KEYS[3]
local name = ARGV[1]
local layout_hash = ARGV[2]
local version_json = ARGV[3] -- without its number

local existing = redis.call('HGET', versions, 'layout:' .. layout_hash)
if existing then
  return tonumber(existing)
end
local version = redis.call('HINCRBY', prompt, 'latest', 1)
redis.call('HSET', versions, version, version_json, 'layout:' .. layout_hash, version)
redis.call('ZADD', prompts, 0, name)
return version
