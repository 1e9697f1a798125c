-- A person gives a damaged run up: its locks are released, and what is left of its record stays for looking at.
-- KEYS 1 run  2 journal  3 run's locks  4 open runs  5 damaged runs   ARGV 1 run id  2 summary JSON  3 lifetime ms
-- Replies: 1 = given up, 0 = it is not damaged
if redis.call('HGET', KEYS[1], 'state') ~= 'damaged' then return 0 end
for _, lock in ipairs(redis.call('SMEMBERS', KEYS[3])) do
  if redis.call('GET', lock) == ARGV[1] then redis.call('DEL', lock) end
end
redis.call('DEL', KEYS[3])
redis.call('SREM', KEYS[4], ARGV[1])
redis.call('SREM', KEYS[5], ARGV[1])
redis.call('HSET', KEYS[1], 'state', 'ended', 'summary', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return 1
