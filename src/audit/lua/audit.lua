-- Appends one record to the audit log and drops what is too old. The hashing is done by the caller; this only compares and writes.
-- KEYS 1 records (list)  2 state (head, start = head before the first kept record, dropped = records dropped so far)
-- ARGV 1 expected head or '' = none yet  2 new head  3 record  4 oldest records to drop  5 start after them  6 expected start or '' = none yet
-- Replies: 'ok' | 'conflict' (somebody else was first: read again)
local v = redis.call('HMGET', KEYS[2], 'head', 'start')
if (v[1] or '') ~= ARGV[1] or (v[2] or '') ~= ARGV[6] then return 'conflict' end
local drop = tonumber(ARGV[4])
if drop > 0 then
  redis.call('LTRIM', KEYS[1], drop, -1)
  redis.call('HINCRBY', KEYS[2], 'dropped', drop)
end
redis.call('RPUSH', KEYS[1], ARGV[3])
redis.call('HSET', KEYS[2], 'head', ARGV[2], 'start', ARGV[5])
return 'ok'
