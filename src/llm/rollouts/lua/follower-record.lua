-- Records which version of a document a process had when it asked.
-- Processes that asked too long ago make room when there are too many.
-- Replies: {'recorded'} | {'full'}
local followers = KEYS[1]
local instance = ARGV[1] -- hash of its name
local sighting = ARGV[2] -- '<UTC ms> <entity tag>'
local max_followers = tonumber(ARGV[3])
local oldest = tonumber(ARGV[4]) -- UTC ms
local retention_ms = ARGV[5]

local is_known = redis.call('HEXISTS', followers, instance) == 1
if not is_known and redis.call('HLEN', followers) >= max_followers then
  local all = redis.call('HGETALL', followers)
  for index = 1, #all, 2 do
    if tonumber(string.match(all[index + 1], '^%d+')) < oldest then
      redis.call('HDEL', followers, all[index])
    end
  end
  if redis.call('HLEN', followers) >= max_followers then
    return { 'full' }
  end
end
redis.call('HSET', followers, instance, sighting)
redis.call('PEXPIRE', followers, retention_ms)
return { 'recorded' }
