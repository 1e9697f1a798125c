-- Creates a batch unless its id exists.
-- Replies: 'created' | 'same' = the same batch exists | 'differs' = another with this id exists
local batch = KEYS[1]
local batches = KEYS[2]
local id = ARGV[1]
local now = ARGV[2]
local hash = ARGV[3] -- of what the batch was created with
local fields = { unpack(ARGV, 4) } -- name, value, …

if redis.call('HSETNX', batch, 'id', id) == 0 then
  return redis.call('HGET', batch, 'hash') == hash and 'same' or 'differs'
end
redis.call('HSET', batch, 'hash', hash, unpack(fields))
redis.call('ZADD', batches, now, id)
return 'created'
