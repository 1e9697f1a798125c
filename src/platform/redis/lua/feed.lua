-- Says to open pages that a run changed. An entry is a hint without data: pages read the run anew.
local function publish_run(feed, run_id)
  redis.call('XADD', feed, 'MAXLEN', '~', 10000, '*', 'kind', 'run', 'id', run_id)
end
