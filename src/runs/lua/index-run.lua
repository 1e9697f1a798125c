-- Puts a run into its indexes when it is in none.
-- Replies: 1 = it was put in | 0 = it is in them, or is no longer kept
local run = KEYS[1]
local places = KEYS[2]
local expiry = KEYS[3]
local run_id = ARGV[1]
local time = ARGV[2]
local indexes = ARGV[3]

if redis.call('EXISTS', run) == 0 or redis.call('HEXISTS', places, run_id) == 1 then
  return 0
end
list_run(places, run_id, indexes, time)
local retention_ms = redis.call('PTTL', run)
if retention_ms > 0 then
  redis.call('ZADD', expiry, string.format('%.0f', now_ms() + retention_ms), run_id)
end
return 1
