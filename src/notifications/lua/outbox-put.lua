-- Adds one mail to the outbox, once per id.
-- Replies: 1 = added | 0 = this id was added before
local row = KEYS[1]
local due = KEYS[2] -- of the lane
local waiting = KEYS[3]
local lanes = KEYS[4]
local written = KEYS[5] -- of the lane: when each due time was written
local id = ARGV[1]
local content = ARGV[2] -- JSON
local now = ARGV[3]
local lane = ARGV[4]

if redis.call('EXISTS', row) == 1 then
  return 0
end
redis.call('HSET', row, 'row', content, 'state', 'waiting', 'attempts', 0)
redis.call('ZADD', due, now, id)
redis.call('ZADD', written, now, id)
redis.call('ZADD', waiting, now, id)
redis.call('SADD', lanes, lane)
return 1
