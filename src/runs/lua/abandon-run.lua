-- Ends a damaged run by hand; releases its locks, keeps its record.
-- Replies: 1 = ended | 0 = the run is not damaged
local run = KEYS[1]
local journal = KEYS[2]
local locks = KEYS[3]
local open_runs = KEYS[4]
local damaged_runs = KEYS[5]
local open_questions = KEYS[6]
local runs = KEYS[7]
local run_places = KEYS[8]
local run_expiry = KEYS[9]
local feed = KEYS[10]
local open_counts = KEYS[11]
local run_id = ARGV[1]
local summary = ARGV[2]
local retention_ms = ARGV[3]
local ended_indexes = ARGV[4] -- see run-indexes.lua

if redis.call('HGET', run, 'state') ~= 'damaged' then
  return 0
end
for _, lock in ipairs(redis.call('SMEMBERS', locks)) do
  if redis.call('GET', lock) == run_id then
    redis.call('DEL', lock)
  end
end
redis.call('DEL', locks)
-- Which alerts the run has heard of cannot be read: each that joined it starts a run when it is
-- notified again.
local joins = run .. ':joins'
for _, episode in ipairs(redis.call('LRANGE', joins, 0, -1)) do
  if redis.call('HGET', episode, 'run') == run_id then
    redis.call('HSET', episode, 'run', '')
    redis.call('HINCRBY', episode, 'version', 1)
  end
end
redis.call('DEL', joins)
local last_question = redis.call('HGET', run, 'question')
if last_question and last_question ~= '' then
  redis.call('ZREM', open_questions, last_question)
  redis.call('PEXPIRE', '{rb}:question:' .. last_question, retention_ms)
  redis.call('PEXPIRE', '{rb}:question:' .. last_question .. ':consents', retention_ms)
end
remove_open_run(open_runs, open_counts, run, run_id)
redis.call('SREM', damaged_runs, run_id)
redis.call('HSET', run, 'state', 'ended', 'summary', summary)
redis.call('PEXPIRE', run, retention_ms)
redis.call('PEXPIRE', journal, retention_ms)
local now = now_ms()
redis.call('ZADD', run_expiry, string.format('%.0f', now + retention_ms), run_id)
list_run(run_places, run_id, ended_indexes, redis.call('ZSCORE', runs, run_id) or now)
publish_run(feed, run_id)
return 1
