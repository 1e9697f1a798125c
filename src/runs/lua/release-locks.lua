-- Releases the locks that an ended or deleted run still has.
-- Replies: count of the locks that were released
local run = KEYS[1]
local locks = KEYS[2]
local run_id = ARGV[1]

local state = redis.call('HGET', run, 'state')
if state and state ~= 'ended' then
  return 0
end
local released = 0
for _, lock in ipairs(redis.call('SMEMBERS', locks)) do
  if redis.call('GET', lock) == run_id then
    redis.call('DEL', lock)
    released = released + 1
  end
end
redis.call('DEL', locks)
return released
