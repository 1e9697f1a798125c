-- Atomically stores an episode and, if requested, creates its run.
-- Replies: {'conflict'} (the episode changed: read again) | {'updated'} | {'joined', run id}
--   | {'created', run id} | {'refused', claim index from 0, retry after ms} | {'no_runbook'}
--   | {'frozen', freeze JSON}
local episode = KEYS[1]
local run = KEYS[2]
local journal = KEYS[3]
local due = KEYS[4]
local runs = KEYS[5]
local open_run = KEYS[6] -- id of the open run of this runbook and target
local locks = KEYS[7]
local runbook = KEYS[8]
local open_runs = KEYS[9]
local freezes = KEYS[10]
local new_episodes = KEYS[11]
local run_places = KEYS[12]
local run_expiry = KEYS[13]
local feed = KEYS[14]
local open_counts = KEYS[15]
local claim_keys = { unpack(KEYS, 16) }
local expected_version = tonumber(ARGV[1])
local episode_json = ARGV[2]
local episode_ttl_ms = ARGV[3]
local creates_run = ARGV[4] == '1'
local run_id = ARGV[5] -- of the new run, or of the run whose alert has resolved
local accepted_entry = ARGV[6]
local head = ARGV[7]
local summary = ARGV[8]
local resolved_reason = ARGV[9] -- '' = the alert has not resolved
local joined_reason = ARGV[10] -- '' = an open run is not told that it is joined
local freeze_query = ARGV[11] -- see freeze.lua
local run_indexes = ARGV[12] -- see run-indexes.lua
local runbook_id = ARGV[13]
local claim_count = tonumber(ARGV[14])
local claims = { unpack(ARGV, 15) } -- see claims.lua

local version = tonumber(redis.call('HGET', episode, 'version') or '0')
if version ~= expected_version then
  return { 'conflict' }
end

local function write_episode(id)
  redis.call('HSET', episode, 'version', version + 1, 'episode', episode_json, 'run', id)
  redis.call('PEXPIRE', episode, episode_ttl_ms)
end

if not creates_run then
  local state = resolved_reason ~= '' and redis.call('HGET', run, 'state')
  if state and state ~= 'ended' then
    redis.call('HSET', run, 'resolved', resolved_reason)
    if state ~= 'running' then
      redis.call('HSET', run, 'woken', '1')
      redis.call('ZADD', due, now_ms(), run_id)
    end
  end
  write_episode(redis.call('HGET', episode, 'run') or '')
  return { 'updated' }
end
-- An alert storm is counted in new episodes, whether or not they start a run: each counts once in
-- five minutes.
local now = now_ms()
redis.call('ZADD', new_episodes, 'NX', now, episode)
redis.call('ZREMRANGEBYSCORE', new_episodes, '-inf', now - 300000)
local freeze = blocking_freeze(freezes, freeze_query)
if freeze then
  return { 'frozen', freeze }
end
local open_run_id = redis.call('GET', open_run)
if open_run_id then
  local joined_run = '{rb}:run:' .. open_run_id
  local state = joined_reason ~= '' and redis.call('HGET', joined_run, 'state')
  if state and state ~= 'ended' then
    redis.call('HINCRBY', joined_run, 'joined', 1)
    redis.call('HSET', joined_run, 'joinedReason', joined_reason)
    -- In the order of their count, for the end of the run; see append.lua.
    if redis.call('LLEN', joined_run .. ':joins') < 10000 then
      redis.call('RPUSH', joined_run .. ':joins', episode)
    end
    if state ~= 'running' then
      redis.call('HSET', joined_run, 'woken', '1')
      redis.call('ZADD', due, now, open_run_id)
    end
  end
  write_episode(open_run_id)
  return { 'joined', open_run_id }
end
if redis.call('EXISTS', runbook) == 0 then
  return { 'no_runbook' }
end
local refusal = take_claims(claim_keys, claims, 0, claim_count, run_id, locks)
if refusal then
  local index, _, retry_after_ms = unpack(refusal)
  return { 'refused', index, retry_after_ms }
end
write_episode(run_id)
redis.call('SET', open_run, run_id)
redis.call('SADD', locks, open_run)
redis.call('HSET', run, 'state', 'queued', 'epoch', '0', 'stalls', 0, 'head', head,
  'summary', summary, 'runbook', runbook_id)
redis.call('RPUSH', journal, accepted_entry)
redis.call('ZADD', due, now, run_id)
redis.call('ZADD', runs, now, run_id)
add_open_run(open_runs, open_counts, run_id, runbook_id)
list_run(run_places, run_id, run_indexes, now)
-- More than come in, so that the indexes do not grow.
unlist_expired_runs(run_places, run_expiry, now, 20)
-- A run expires 30 days after its end, so its id may leave the index after 90; open runs are also
-- in open_runs.
redis.call('ZREMRANGEBYSCORE', runs, '-inf', now - 7776000000)
publish_run(feed, run_id)
return { 'created', run_id }
