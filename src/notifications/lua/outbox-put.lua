-- Puts one mail, once.
-- KEYS: 1 row, 2 due, 3 waiting. ARGV: 1 id, 2 row as JSON, 3 putAt ms.
-- Returns 1 when it was put, 0 when a row of this id is there already, whatever became of it.
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'row', ARGV[2], 'state', 'waiting', 'attempts', 0)
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
return 1
