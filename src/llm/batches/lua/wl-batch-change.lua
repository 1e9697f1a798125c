-- Sets fields of a batch that is not over.
-- KEYS 1 batch  2 active batches  ARGV 1 expected version or ''  2 '1' = it needs looking after from now on  3 '1' = the version grows  4.. field, value, ...
-- Replies 'set' | 'conflict' | 'missing' | 'over'
local batch = redis.call('HMGET', KEYS[1], 'state', 'version', 'id')
if not batch[1] then
  return 'missing'
end
if batch[1] == 'cancelled' or batch[1] == 'done' then
  return 'over'
end
if ARGV[1] ~= '' and ARGV[1] ~= (batch[2] or '0') then
  return 'conflict'
end
for index = 4, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1])
end
if ARGV[2] == '1' then
  redis.call('SADD', KEYS[2], batch[3])
end
if ARGV[3] == '1' then
  redis.call('HINCRBY', KEYS[1], 'version', 1)
end
redis.call('HINCRBY', KEYS[1], 'revision', 1)
return 'set'
