-- Writes a worker's progress: journal entries, what they claim, the projection and the lease.
-- The token refuses a worker that has lost the run; the head keeps the writes in order.
-- Replies: {'fenced'} | {'frozen', freeze JSON}
--   | {'refused', claim index from 0, id of the lock's holder, retry after ms}
--   | {'stopped', stop by, stop reason, resolved} | {'ok', stop by, stop reason, resolved}
local run = KEYS[1]
local journal = KEYS[2]
local due = KEYS[3]
local locks = KEYS[4]
local fenced_count = KEYS[5]
local question = KEYS[6]
local open_questions = KEYS[7]
local open_runs = KEYS[8]
local freezes = KEYS[9]
local frozen_runs = KEYS[10]
local ended_runs = KEYS[11] -- whose heads are not in the audit log yet
local runs = KEYS[12]
local run_places = KEYS[13]
local run_expiry = KEYS[14]
local feed = KEYS[15]
local open_counts = KEYS[16]
local claim_and_cooldown_keys = { unpack(KEYS, 17) }
local run_id = ARGV[1]
local token = ARGV[2]
local expected_head = ARGV[3]
local new_head = ARGV[4]
local lease_ms = ARGV[5]
local state = ARGV[6]
local summary = ARGV[7] -- '' = only the step in hand changes
local step = ARGV[8] -- '' = as the summary says
local release = ARGV[9] -- 'keep' the lease | 'park' until woken | ms when the run is due again
local retention_ms = ARGV[10] -- after the run's end
local question_json = ARGV[11] -- '' = the entries ask no question
local question_id = ARGV[12]
local entry_count = tonumber(ARGV[13])
local claim_count = tonumber(ARGV[14])
local cooldown_count = tonumber(ARGV[15])
local saw_stop = ARGV[16] == '1'
local saw_resolved = ARGV[17] == '1'
local saw_joined = ARGV[18] -- count of the alerts that have joined, as far as the journal says
local precedes_effect = ARGV[19] == '1'
local freeze_query = ARGV[20] -- see freeze.lua
local ended_indexes = ARGV[21] -- of a run that ends; see run-indexes.lua
local released_at = ARGV[22] -- ms of the worker's clock when it decided on `release`
local entries_claims_cooldowns = { unpack(ARGV, 23) } -- claims: see claims.lua | cooldowns: ms

local stored_token, stored_head, stop_by, stop_reason, resolved, stored_state, lease_until,
  stalls = unpack(redis.call('HMGET', run, 'token', 'head', 'stopBy', 'stopReason', 'resolved',
  'state', 'leaseUntil', 'stalls'))
local function reply_with_notices(kind)
  return { kind, stop_by or '', stop_reason or '', resolved or '' }
end

local is_repeated = stored_head == new_head
if stored_token ~= token or (stored_state == 'ended' and not is_repeated) then
  redis.call('INCR', fenced_count)
  return { 'fenced' }
end
-- The worker repeats a write whose reply was lost.
if is_repeated and entry_count > 0 then
  return reply_with_notices('ok')
end
if stored_head ~= expected_head then
  redis.call('INCR', fenced_count)
  return { 'fenced' }
end
if precedes_effect and stop_by and not saw_stop then
  return reply_with_notices('stopped')
end
local freeze = blocking_freeze(freezes, freeze_query)
if freeze then
  redis.call('SADD', frozen_runs, run_id)
  return { 'frozen', freeze }
end
local refusal = take_claims(claim_and_cooldown_keys, entries_claims_cooldowns, entry_count,
  claim_count, run_id, locks)
if refusal then
  return { 'refused', unpack(refusal) }
end

publish_run(feed, run_id)
local now = now_ms()
if entry_count > 0 then
  redis.call('RPUSH', journal, unpack(entries_claims_cooldowns, 1, entry_count))
end
local changes = { 'head', new_head, 'step', step }
if state ~= stored_state then
  changes[#changes + 1] = 'state'
  changes[#changes + 1] = state
end
if stalls ~= '0' then
  changes[#changes + 1] = 'stalls'
  changes[#changes + 1] = 0
end
if summary ~= '' then
  changes[#changes + 1] = 'summary'
  changes[#changes + 1] = summary
end
local keeps_lease = release == 'keep'
local lease_left = tonumber(lease_until or '0') - now
-- Quick steps follow each other closely: a lease is extended only after a sixth of it has passed,
-- or shortened after the clock was set back.
if keeps_lease and (lease_left < lease_ms * 5 / 6 or lease_left > tonumber(lease_ms)) then
  changes[#changes + 1] = 'leaseUntil'
  changes[#changes + 1] = now + lease_ms
  redis.call('ZADD', due, now + lease_ms, run_id)
end
redis.call('HSET', run, unpack(changes))
if question_json ~= '' then
  redis.call('HSET', question, 'question', question_json, 'run', run_id)
  redis.call('ZADD', open_questions, now, question_id)
end
if keeps_lease then
  return reply_with_notices('ok')
end
-- A question that the run no longer waits for is closed. A run that is only handed over to another
-- worker still waits for its question.
if state ~= 'queued' then
  local last_question = redis.call('HGET', run, 'question')
  if last_question and last_question ~= '' and last_question ~= question_id then
    redis.call('ZREM', open_questions, last_question)
    -- An answer has set this already; a question that was never answered must end as well.
    redis.call('PEXPIRE', '{rb}:question:' .. last_question, retention_ms)
    redis.call('PEXPIRE', '{rb}:question:' .. last_question .. ':consents', retention_ms)
  end
  if last_question or question_id ~= '' then
    redis.call('HSET', run, 'question', question_id)
  end
end
redis.call('HDEL', run, 'token', 'owner', 'leaseUntil')
if state == 'ended' then
  for _, lock in ipairs(redis.call('SMEMBERS', locks)) do
    if redis.call('GET', lock) == run_id then
      redis.call('DEL', lock)
    end
  end
  redis.call('DEL', locks)
  -- An alert that joined too late for this run is of no run: it starts one when it is notified
  -- again.
  local joins = run .. ':joins'
  for _, episode in ipairs(redis.call('LRANGE', joins, saw_joined, -1)) do
    if redis.call('HGET', episode, 'run') == run_id then
      redis.call('HSET', episode, 'run', '')
      redis.call('HINCRBY', episode, 'version', 1)
    end
  end
  redis.call('DEL', joins)
  remove_open_run(open_runs, open_counts, run, run_id)
  redis.call('ZREM', due, run_id)
  redis.call('PEXPIRE', run, retention_ms)
  redis.call('PEXPIRE', journal, retention_ms)
  local kept_until = string.format('%.0f', now_ms() + retention_ms)
  redis.call('ZADD', run_expiry, kept_until, run_id)
  list_run(run_places, run_id, ended_indexes, redis.call('ZSCORE', runs, run_id) or now)
  redis.call('RPUSH', ended_runs, run_id .. ' ' .. new_head .. ' ' .. kept_until)
  redis.call('LTRIM', ended_runs, -100000, -1)
  for index = 1, cooldown_count do
    local cooldown = claim_and_cooldown_keys[claim_count + index]
    local cooldown_ms = tonumber(entries_claims_cooldowns[entry_count + claim_count * 4 + index])
    -- The start may have set a longer cooldown, doubled by its repeats: that one is kept.
    start_window(cooldown, 1, math.max(cooldown_ms, window_left(cooldown)))
  end
  return reply_with_notices('ok')
end
if release == 'park' then
  redis.call('HSET', run, 'wakeAt', -1)
  redis.call('ZREM', due, run_id)
else
  -- The worker may not have noticed yet that the clock was set back.
  redis.call('HSET', run, 'wakeAt', release, 'releasedAt', math.max(now, tonumber(released_at)))
  redis.call('ZADD', due, release, run_id)
end
-- A stop, a resolve or a join that the worker has not seen yet wakes the run at once.
local joined, joins_claimed = unpack(redis.call('HMGET', run, 'joined', 'joinsClaimed'))
if (stop_by and not saw_stop) or (resolved and not saw_resolved) or joined ~= joins_claimed then
  redis.call('HSET', run, 'woken', '1')
  redis.call('ZADD', due, now, run_id)
end
return reply_with_notices('ok')
