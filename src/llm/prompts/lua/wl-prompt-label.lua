-- Compare-and-set of one label of a prompt.
-- KEYS 1 prompt  2 versions
-- ARGV 1 label  2 expected version or ''  3 new version or '' (points nowhere)
-- Replies: {'moved'} | {'conflict', present version or ''} | {'not_found'}
local field = 'l:' .. ARGV[1]
if redis.call('EXISTS', KEYS[1]) == 0 or (ARGV[3] ~= '' and redis.call('HEXISTS', KEYS[2], ARGV[3]) == 0) then
  return { 'not_found' }
end
local present = redis.call('HGET', KEYS[1], field) or ''
if present ~= ARGV[2] then
  return { 'conflict', present }
end
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], field)
else
  redis.call('HSET', KEYS[1], field, ARGV[3])
end
return { 'moved' }
