-- Records a submission to a provider, once per key.
-- Replies: 1 = recorded | 0 = a submission with this key is open or was closed
local open_submissions = KEYS[1]
local revisions = KEYS[2]
local closed_submissions = KEYS[3]
local key = ARGV[1]
local submission = ARGV[2] -- JSON

if redis.call('HEXISTS', closed_submissions, key) == 1 then
  return 0
end
if redis.call('HSETNX', open_submissions, key, submission) == 0 then
  return 0
end
redis.call('HSET', revisions, key, 0)
return 1
