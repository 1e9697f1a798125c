-- Writes the record of a submission if nobody else has since the caller read it.
-- KEYS: open, revisions   ARGV: key, revision that the caller read, record as JSON (which carries the next revision)
-- Answers 1, or 0 when the record has changed or is gone.
if redis.call('HGET', KEYS[2], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('HINCRBY', KEYS[2], ARGV[1], 1)
return 1
