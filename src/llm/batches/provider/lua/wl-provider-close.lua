-- Moves a submission from the open ones to the settled ones.
-- KEYS: open, revisions, closed   ARGV: key, revision that the caller read, settled record as JSON
-- Answers 1, or 0 when the record has changed or is gone.
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
return 1
