-- Appends one record to the audit log and drops records older than their retention.
-- The caller computes the hashes; this compares the head and writes.
-- Replies: 'ok' | 'conflict' (another writer was first: read again)
local records = KEYS[1]
local state = KEYS[2] -- head | start: the head before the first record | dropped: count
local expected_head = ARGV[1] -- '' = there is none yet
local new_head = ARGV[2]
local record = ARGV[3]
local drop = tonumber(ARGV[4]) -- how many of the oldest records to drop
local new_start = ARGV[5]
local expected_start = ARGV[6] -- '' = there is none yet

local head, start = unpack(redis.call('HMGET', state, 'head', 'start'))
if (head or '') ~= expected_head or (start or '') ~= expected_start then
  return 'conflict'
end
if drop > 0 then
  redis.call('LTRIM', records, drop, -1)
  redis.call('HINCRBY', state, 'dropped', drop)
end
redis.call('RPUSH', records, record)
redis.call('HSET', state, 'head', new_head, 'start', new_start)
return 'ok'
