-- Shared by the ledger's scripts; put before each of them. Amounts are integers in micro-USD, times UTC ms given by the caller.
-- A lease is three things that are written together: its expiry, its reserved amount, and its description. committed = sum of all reserved amounts.
local function wl_integer(value)
  return string.format('%.0f', value)
end

local function wl_commit(budget, amount)
  if amount ~= 0 then
    redis.call('HINCRBY', budget, 'committed', wl_integer(amount))
  end
end

-- Gives a lease's reservation back. Answers 1 when there was one.
local function wl_drop_lease(budget, expiry, leases, reserved, lease)
  local amount = tonumber(redis.call('HGET', reserved, lease) or '0')
  wl_commit(budget, -amount)
  redis.call('HDEL', reserved, lease)
  redis.call('HDEL', leases, lease)
  return redis.call('ZREM', expiry, lease)
end

-- Leases whose time is over give back what they reserved; a period that is over starts anew.
local function wl_tidy(budget, expiry, leases, reserved, now)
  local gone = redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, 1000)
  for _, lease in ipairs(gone) do
    wl_drop_lease(budget, expiry, leases, reserved, lease)
  end
  local start = tonumber(redis.call('HGET', budget, 'period_start'))
  local length = tonumber(redis.call('HGET', budget, 'period_ms'))
  if start and length and now >= start + length then
    redis.call('HSET', budget, 'period_start', wl_integer(start + math.floor((now - start) / length) * length), 'spent', '0')
  end
end
