-- Marks a run with an unreadable record as damaged. Its locks stay: what it was about to do is
-- unknown.
-- Replies: 1 = marked | 0 = another worker has claimed the run since
local run = KEYS[1]
local due = KEYS[2]
local damaged_runs = KEYS[3]
local feed = KEYS[4]
local run_id = ARGV[1]
local token = ARGV[2] -- of the claim that could not read the record

if redis.call('HGET', run, 'token') ~= token then
  return 0
end
redis.call('HSET', run, 'state', 'damaged')
redis.call('HDEL', run, 'token', 'owner', 'leaseUntil')
redis.call('ZREM', due, run_id)
redis.call('SADD', damaged_runs, run_id)
publish_run(feed, run_id)
return 1
