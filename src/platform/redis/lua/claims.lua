-- Prelude: takes all of a run's claims or none of them.
-- A lock's key holds the id of the run that has it. A bucket counts up to a maximum in a window of
-- Redis time. A log keeps its newest fifty entries and refuses nothing.
-- `values` has four per claim after the first `skip` of them: 'lock', 0, 0, 0 |
-- 'bucket', maximum, window in ms, amount | 'log', 0, retention in ms, entry.
-- Returns nil, or {index of the refused claim from 0, id of the lock's holder, retry after ms}.

-- A bucket ends by its TTL. Beside it stands how long its window is, so that a window of which more
-- than all is left is noticed: it began before the clock was set back, and begins anew.
local function start_window(bucket, used, window_ms)
  redis.call('SET', bucket, used, 'PX', window_ms)
  redis.call('SET', bucket .. ':window', window_ms, 'PX', window_ms)
end
local function window_left(bucket)
  local left_ms = redis.call('PTTL', bucket)
  local window_ms = tonumber(redis.call('GET', bucket .. ':window') or left_ms)
  if left_ms <= window_ms then
    return left_ms
  end
  redis.call('PEXPIRE', bucket, window_ms)
  redis.call('PEXPIRE', bucket .. ':window', window_ms)
  return window_ms
end
local function take_claims(keys, values, skip, count, run_id, locks)
  for index = 1, count do
    local at = skip + (index - 1) * 4
    local kind, maximum, _, amount = unpack(values, at + 1, at + 4)
    if kind == 'lock' then
      local holder = redis.call('GET', keys[index])
      if holder and holder ~= run_id then
        return { index - 1, holder, 0 }
      end
    elseif kind == 'bucket' then
      local used = tonumber(redis.call('GET', keys[index]) or '0')
      if used + tonumber(amount) > tonumber(maximum) then
        return { index - 1, '', window_left(keys[index]) }
      end
    end
  end
  for index = 1, count do
    local key = keys[index]
    local at = skip + (index - 1) * 4
    local kind, _, lifetime_ms, amount = unpack(values, at + 1, at + 4)
    if kind == 'lock' then
      -- A lock that this run already has is in its set of locks.
      if redis.call('SET', key, run_id, 'NX') then
        redis.call('SADD', locks, key)
      end
    elseif kind == 'log' then
      redis.call('RPUSH', key, amount)
      redis.call('LTRIM', key, -50, -1)
      -- A little longer than asked for, so that not every entry has to prolong it.
      if redis.call('PTTL', key) < tonumber(lifetime_ms) then
        redis.call('PEXPIRE', key, math.ceil(lifetime_ms * 1.05))
      end
    else
      if redis.call('EXISTS', key) == 1 then
        redis.call('INCRBY', key, amount)
      else
        start_window(key, amount, lifetime_ms)
      end
    end
  end
  return nil
end
