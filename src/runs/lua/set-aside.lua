-- Takes a run whose record cannot be read out of the hands of all workers. Its locks stay: nobody knows what it was about to do.
-- KEYS 1 run  2 due  3 damaged runs   ARGV 1 run id  2 token of the claim that could not read it
-- Replies: 1 = set aside, 0 = another worker holds it
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'state', 'damaged')
redis.call('HDEL', KEYS[1], 'token', 'owner', 'leaseUntil')
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('SADD', KEYS[3], ARGV[1])
return 1
