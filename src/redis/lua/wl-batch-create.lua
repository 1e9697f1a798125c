-- Creates a batch as a whole, unless there is one of this id.
-- KEYS 1 batch  2 index  ARGV 1 id  2 now  3.. field, value, ...
-- Replies 1, or 0 when it is there already.
if redis.call('HSETNX', KEYS[1], 'id', ARGV[1]) == 0 then
  return 0
end
for index = 3, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1])
end
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
return 1
