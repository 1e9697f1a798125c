-- Records a submission to a provider, once per key for ever.
-- KEYS: open, revisions, closed   ARGV: key, record as JSON
-- Answers 1, or 0 when a submission of this key is or was there.
if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 1 then return 0 end
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], 0)
return 1
