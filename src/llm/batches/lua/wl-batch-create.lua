-- Creates a batch as a whole, unless there is one of this id.
-- KEYS 1 batch  2 index  ARGV 1 id  2 now  3 hash of its beginning  4.. field, value, ...
-- Replies 'created' | 'same' one with this beginning is there | 'differs' another one is; what an older version stored has no hash and is taken for the same
if redis.call('HSETNX', KEYS[1], 'id', ARGV[1]) == 0 then
  local head = redis.call('HGET', KEYS[1], 'head')
  return (not head or head == ARGV[3]) and 'same' or 'differs'
end
redis.call('HSET', KEYS[1], 'head', ARGV[3])
for index = 4, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1])
end
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
return 'created'
