-- Re-adds an open run that is missing from the due set, and removes a run that is not open.
-- Replies: 'ok' (nothing to do) | 'gone' (it was listed as open and does not exist)
--   | 'ended' (it was listed as open and has ended) | 'not_due' (it was re-added)
local run = KEYS[1]
local due = KEYS[2]
local open_runs = KEYS[3]
local open_counts = KEYS[4]
local run_id = ARGV[1]

local state, wake_at = unpack(redis.call('HMGET', run, 'state', 'wakeAt'))
if not state or state == 'ended' then
  remove_open_run(open_runs, open_counts, run, run_id)
  redis.call('ZREM', due, run_id)
  return state and 'ended' or 'gone'
end
-- A damaged run, and one that waits for a person without a deadline, are not due.
local is_suspended = state == 'suspended' or state == 'in_doubt'
local has_no_deadline = is_suspended and tonumber(wake_at or '-1') < 0
if state == 'damaged' or has_no_deadline or redis.call('ZSCORE', due, run_id) then
  return 'ok'
end
redis.call('ZADD', due, now_ms(), run_id)
return 'not_due'
