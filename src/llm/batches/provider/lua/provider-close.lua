-- Moves a submission from the open to the closed ones if its revision is the expected one.
-- Replies: 1 = closed | 0 = it was changed or closed since the caller read it
local open_submissions = KEYS[1]
local revisions = KEYS[2]
local closed_submissions = KEYS[3]
local key = ARGV[1]
local expected_revision = ARGV[2]
local closed = ARGV[3] -- JSON

if redis.call('HGET', revisions, key) ~= expected_revision then
  return 0
end
redis.call('HDEL', open_submissions, key)
redis.call('HDEL', revisions, key)
redis.call('HSET', closed_submissions, key, closed)
return 1
