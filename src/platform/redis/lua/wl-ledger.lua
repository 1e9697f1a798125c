-- Shared by the ledger's scripts; put before each of them. Amounts are integers in micro-USD, times UTC ms given by the caller.
-- A lease is three things that are written together: its expiry, its reserved amount, and its description. committed = sum of all reserved amounts.
local function wl_integer(value)
  -- Adding 0 turns -0 into 0, which Redis does not take for an integer.
  return string.format('%.0f', value + 0)
end

local function wl_commit(budget, amount)
  if amount ~= 0 then
    redis.call('HINCRBY', budget, 'committed', wl_integer(amount))
  end
end

-- Moves what a lease has reserved: out of what its batch has reserved first, the rest out of the budget; back the same way.
-- shares: 'lease <id>' = the batch's share id, 'left <share>' = reserved and taken by no lease (part of committed), 'amount <share>' and 'count <share>' =
-- what its leases have reserved, and how many there are.
local function wl_move(budget, shares, share, amount)
  if share == '' then
    wl_commit(budget, amount)
    return
  end
  redis.call('HINCRBY', shares, 'amount ' .. share, wl_integer(amount))
  local left = tonumber(redis.call('HGET', shares, 'left ' .. share) or '')
  if not left then
    wl_commit(budget, amount)
    return
  end
  local out = math.min(left, amount)
  redis.call('HINCRBY', shares, 'left ' .. share, wl_integer(-out))
  wl_commit(budget, amount - out)
end

-- Takes away from what a batch has reserved, and from committed.
local function wl_shrink(budget, shares, share, amount)
  if share == '' or amount <= 0 then
    return
  end
  local left = tonumber(redis.call('HGET', shares, 'left ' .. share) or '0')
  local out = math.min(left, amount)
  if out > 0 then
    redis.call('HINCRBY', shares, 'left ' .. share, wl_integer(-out))
    wl_commit(budget, -out)
  end
end

-- Gives a lease's reservation back. Answers 1 when there was one.
local function wl_drop_lease(budget, expiry, leases, reserved, shares, lease)
  local amount = tonumber(redis.call('HGET', reserved, lease) or '0')
  local share = redis.call('HGET', shares, 'lease ' .. lease) or ''
  wl_move(budget, shares, share, -amount)
  if share ~= '' then
    redis.call('HINCRBY', shares, 'count ' .. share, -1)
    redis.call('HDEL', shares, 'lease ' .. lease)
  end
  redis.call('HDEL', reserved, lease)
  redis.call('HDEL', leases, lease)
  return redis.call('ZREM', expiry, lease)
end

-- Leases whose time is over give back what they reserved; a period that is over starts anew.
local function wl_tidy(budget, expiry, leases, reserved, shares, now)
  local gone = redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, 1000)
  for _, lease in ipairs(gone) do
    wl_drop_lease(budget, expiry, leases, reserved, shares, lease)
  end
  local start = tonumber(redis.call('HGET', budget, 'period_start'))
  local length = tonumber(redis.call('HGET', budget, 'period_ms'))
  if start and length and now >= start + length then
    redis.call('HSET', budget, 'period_start', wl_integer(start + math.floor((now - start) / length) * length), 'spent', '0')
  end
end

-- Ends a batch's reservation down to what its open tickets may still need. batch: its hash.
local function wl_settle_batch(budget, shares, batch, share)
  local state = redis.call('HMGET', batch, 'per_ticket', 'n:queued', 'n:running', 'n:waiting')
  if share == '' or not state[1] then
    return
  end
  local open = 0
  for index = 2, 4 do
    open = open + tonumber(state[index] or '0')
  end
  local left = tonumber(redis.call('HGET', shares, 'left ' .. share) or '0')
  wl_shrink(budget, shares, share, left - open * tonumber(state[1]))
end
