-- Prelude: the indexes of runs, sorted sets of ids by the time a run was accepted.
-- `places`: keys of the indexes of each run, joined by blanks. `expiry`: until when ended runs are
-- kept.
local function list_run(places, run_id, indexes, time)
  for index in string.gmatch(indexes, '%S+') do
    redis.call('ZADD', index, time, run_id)
  end
  local listed = redis.call('HGET', places, run_id)
  redis.call('HSET', places, run_id, listed and listed .. ' ' .. indexes or indexes)
end

local function unlist_expired_runs(places, expiry, now, count)
  local expired = redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, count)
  for _, run_id in ipairs(expired) do
    for index in string.gmatch(redis.call('HGET', places, run_id) or '', '%S+') do
      redis.call('ZREM', index, run_id)
    end
    redis.call('HDEL', places, run_id)
    redis.call('ZREM', expiry, run_id)
  end
  return #expired
end
