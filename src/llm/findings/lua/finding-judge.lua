-- Writes the verdict on a finding, unless its content is another than the judged one.
-- Replies: 1 = written | 0 = another content, or no such finding
local finding = KEYS[1]
local history = KEYS[2]
local open_index = KEYS[3]
local counts = KEYS[4]
local now = ARGV[1] -- UTC ms
local content = ARGV[2] -- hash
local verdict = ARGV[3] -- JSON
local class = ARGV[4]
local rank = ARGV[5] -- of the class
local label = ARGV[6] -- ' <id> <feature> <source> <state>', of an open finding perhaps ' contain'
local count = ARGV[7] -- '<class> <feature> <source>'
local run = ARGV[8] -- '' = as before
local max_events = ARGV[9]

local stored_content, state, stored_member, stored_count, stored_class =
  unpack(redis.call('HMGET', finding, 'content', 'state', 'member', 'count', 'class'))
if stored_content ~= content then
  return 0
end
redis.call('HSET', finding, 'verdict', verdict, 'class', class)
if run ~= '' then
  redis.call('HSET', finding, 'run', run)
end
if state == 'open' then
  local member = rank .. string.sub(stored_member, 2, 16) .. label
  if member ~= stored_member then
    redis.call('ZREM', open_index, stored_member)
    redis.call('ZADD', open_index, 0, member)
    redis.call('HSET', finding, 'member', member)
  end
end
if state == 'open' and stored_count ~= count then
  if redis.call('HINCRBY', counts, stored_count, -1) <= 0 then
    redis.call('HDEL', counts, stored_count)
  end
  redis.call('HINCRBY', counts, count, 1)
  redis.call('HSET', finding, 'count', count)
end
if stored_class ~= class then
  redis.call('RPUSH', history, now .. ' judged ' .. class)
  redis.call('LTRIM', history, -max_events, -1)
end
return 1
