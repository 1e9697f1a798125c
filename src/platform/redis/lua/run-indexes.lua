-- Prelude: the indexes of runs, sorted sets of ids by the time a run was accepted.
-- `places`: keys of the indexes of each run, joined by blanks; those that it got at its end stand
-- under its id and ' end'. `expiry`: until when ended runs are
-- kept.
local function list_run(places, run_id, indexes, time)
  for index in string.gmatch(indexes, '%S+') do
    redis.call('ZADD', index, time, run_id)
  end
  local is_listed = redis.call('HEXISTS', places, run_id) == 1
  redis.call('HSET', places, is_listed and run_id .. ' end' or run_id, indexes)
end

local function unlist_expired_runs(places, expiry, now, count)
  local expired = redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, count)
  for _, run_id in ipairs(expired) do
    local fields = { run_id, run_id .. ' end' }
    for _, field in ipairs(fields) do
      for index in string.gmatch(redis.call('HGET', places, field) or '', '%S+') do
        redis.call('ZREM', index, run_id)
      end
    end
    redis.call('HDEL', places, unpack(fields))
    redis.call('ZREM', expiry, run_id)
  end
  return #expired
end
