-- Releases what an ended run, or one that is gone, still holds.
-- KEYS 1 run  2 run's locks   ARGV 1 run id
-- Replies: how many locks were released
local state = redis.call('HGET', KEYS[1], 'state')
if state and state ~= 'ended' then return 0 end
local freed = 0
for _, lock in ipairs(redis.call('SMEMBERS', KEYS[2])) do
  if redis.call('GET', lock) == ARGV[1] then
    redis.call('DEL', lock)
    freed = freed + 1
  end
end
redis.call('DEL', KEYS[2])
return freed
