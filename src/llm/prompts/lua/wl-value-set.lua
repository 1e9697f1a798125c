-- Compare-and-set of one value.
-- KEYS 1 value
-- ARGV 1 expected text or '' (absent)  2 new text or '' (delete)
-- Replies: {'set'} | {'conflict', present text or ''}
local present = redis.call('GET', KEYS[1]) or ''
if present ~= ARGV[1] then
  return { 'conflict', present }
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[2])
end
return { 'set' }
