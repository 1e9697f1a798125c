-- Says under which runbook an open run is counted, for a run of a version that did not say so.
-- Replies: 1 = said | 0 = it was said, or the run is not kept
local run = KEYS[1]
local runbook_id = ARGV[1]

if redis.call('EXISTS', run) == 0 then
  return 0
end
return redis.call('HSETNX', run, 'runbook', runbook_id)
