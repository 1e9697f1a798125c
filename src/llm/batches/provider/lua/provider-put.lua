-- Replaces an open submission if its revision is the expected one.
-- Replies: 1 = replaced | 0 = it was changed or closed since the caller read it
local open_submissions = KEYS[1]
local revisions = KEYS[2]
local key = ARGV[1]
local expected_revision = ARGV[2]
local submission = ARGV[3] -- JSON, with the next revision

if redis.call('HGET', revisions, key) ~= expected_revision then
  return 0
end
redis.call('HSET', open_submissions, key, submission)
redis.call('HINCRBY', revisions, key, 1)
return 1
