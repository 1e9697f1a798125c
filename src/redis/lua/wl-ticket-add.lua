-- Adds a ticket in state queued, unless there is one of this id.
-- KEYS 1 ticket  2 index  3 counts  4 batch (its hash)  5 batch's tickets  6 budget's queues  7 budget's batches  8 index of tickets that have not ended
-- ARGV 1 id  2 now  3 budget  4 queue  5 batch id or ''  6 fixed part JSON  7 estimate  8 lifetime after the end ms
-- Replies 1, or 0 when it is there already.
if redis.call('HSETNX', KEYS[1], 'id', ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'fixed', ARGV[6], 'budget', ARGV[3], 'queue', ARGV[4], 'batch', ARGV[5], 'state', 'queued', 'reason', '', 'attempt', '1',
  'turn', '0', 'saved', 'null', 'estimate', ARGV[7], 'created', ARGV[2], 'updated', ARGV[2], 'holder', '')
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('ZADD', KEYS[8], ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', tonumber(ARGV[2]) - tonumber(ARGV[8]))
redis.call('HINCRBY', KEYS[3], 'queue ' .. ARGV[4] .. ' queued', 1)
redis.call('HINCRBY', KEYS[3], 'budget ' .. ARGV[3] .. ' queued', 1)
redis.call('SADD', KEYS[6], ARGV[4])
if ARGV[5] ~= '' then
  redis.call('HINCRBY', KEYS[4], 'n:queued', 1)
  redis.call('ZADD', KEYS[5], ARGV[2], ARGV[1])
  redis.call('SADD', KEYS[7], ARGV[5])
end
return 1
