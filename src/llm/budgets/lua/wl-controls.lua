-- Compare-and-set of a budget's controls; a change of the gate is told to the admission log in the same step.
-- KEYS 1 budget  2 log
-- ARGV 1 expected version  2 controls JSON  3 now  4 budget id  5 gate  6 paused until or ''  7 by  8 '1' = the gate changes  9 log length
-- Replies: {'set' | 'conflict', version, controls JSON} | {} when there is no such budget
local state = redis.call('HMGET', KEYS[1], 'version', 'controls')
if not state[1] then
  return {}
end
if state[1] ~= ARGV[1] then
  return { 'conflict', state[1], state[2] }
end
local version = tostring(redis.call('HINCRBY', KEYS[1], 'version', 1))
redis.call('HSET', KEYS[1], 'controls', ARGV[2])
if ARGV[8] == '1' then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[9], '*', 'kind', 'gate', 'at', ARGV[3], 'budget', ARGV[4], 'gate', ARGV[5], 'until', ARGV[6], 'by', ARGV[7])
end
return { 'set', version, ARGV[2] }
