-- Prelude: the set of open runs, and how many of them each runbook has.
-- A run is counted exactly while it is in the set, under the runbook that its hash names.
local function add_open_run(open_runs, counts, run_id, runbook_id)
  if redis.call('SADD', open_runs, run_id) == 1 then
    redis.call('HINCRBY', counts, runbook_id, 1)
  end
end

local function remove_open_run(open_runs, counts, run, run_id)
  if redis.call('SREM', open_runs, run_id) == 0 then
    return
  end
  -- A run of an earlier version names none before it is counted; see name-open-run.lua.
  local runbook_id = redis.call('HGET', run, 'runbook')
  if runbook_id and redis.call('HINCRBY', counts, runbook_id, -1) <= 0 then
    redis.call('HDEL', counts, runbook_id)
  end
end
