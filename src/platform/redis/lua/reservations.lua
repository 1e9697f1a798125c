-- Prelude: what leases and batches have reserved of a budget. Amounts are integers in micro-USD;
-- times are UTC in ms, of the caller's clock.
-- A lease is three things that are written together: its expiry, its reserved amount and its
-- description. `committed` of the budget is the sum of all reserved amounts.
-- `shares` holds what batches have reserved; share is a batch's id in it, '' = no batch:
--   'share_of:<lease id>' = share that the lease belongs to
--   'unleased:<share>' = reserved by the batch and not by its leases
--   'leased:<share>' and 'leases:<share>' = reserved by its leases, and how many leases there are
local function number_or_zero(value)
  return tonumber(value or '0')
end

local function integer_text(value)
  -- Adding 0 turns -0 into 0; Redis does not accept -0 as an integer.
  return string.format('%.0f', value + 0)
end

local function add_committed(budget, amount)
  if amount ~= 0 then
    redis.call('HINCRBY', budget, 'committed', integer_text(amount))
  end
end

-- Reserves an amount for a lease: first from what its batch has reserved, the rest from the
-- budget. A negative amount goes back the same way.
local function reserve_for_lease(budget, shares, share, amount)
  if share == '' then
    add_committed(budget, amount)
    return
  end
  redis.call('HINCRBY', shares, 'leased:' .. share, integer_text(amount))
  local left = tonumber(redis.call('HGET', shares, 'unleased:' .. share) or '')
  if not left then
    add_committed(budget, amount)
    return
  end
  local from_batch = math.min(left, amount)
  redis.call('HINCRBY', shares, 'unleased:' .. share, integer_text(-from_batch))
  add_committed(budget, amount - from_batch)
end

-- Reduces what a batch has reserved, at most to zero.
local function reduce_share(budget, shares, share, amount)
  if share == '' or amount <= 0 then
    return
  end
  local left = number_or_zero(redis.call('HGET', shares, 'unleased:' .. share))
  local reduction = math.min(left, amount)
  if reduction > 0 then
    redis.call('HINCRBY', shares, 'unleased:' .. share, integer_text(-reduction))
    add_committed(budget, -reduction)
  end
end

-- Ends a lease and its reservation. Returns 1 when there was one.
local function drop_lease(budget, expiry, leases, reserved, shares, lease_id)
  local amount = number_or_zero(redis.call('HGET', reserved, lease_id))
  local share = redis.call('HGET', shares, 'share_of:' .. lease_id) or ''
  reserve_for_lease(budget, shares, share, -amount)
  if share ~= '' then
    redis.call('HINCRBY', shares, 'leases:' .. share, -1)
    redis.call('HDEL', shares, 'share_of:' .. lease_id)
  end
  redis.call('HDEL', reserved, lease_id)
  redis.call('HDEL', leases, lease_id)
  return redis.call('ZREM', expiry, lease_id)
end

-- No lease is longer. One that ends later was given before the clock was set back: it is over.
local max_lease_ms = 120000

-- Ends expired leases, and begins a new period when the current one is over.
local function end_expired(budget, expiry, leases, reserved, shares, now)
  local expired = redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, 1000)
  for _, lease_id in ipairs(expired) do
    drop_lease(budget, expiry, leases, reserved, shares, lease_id)
  end
  -- Of two clocks the later one counts: a caller may not have heard yet that Redis' was set on.
  local latest = math.max(tonumber(now), redis.call('TIME')[1] * 1000) + max_lease_ms + 1000
  local impossible = redis.call('ZRANGEBYSCORE', expiry, '(' .. integer_text(latest), '+inf',
    'LIMIT', 0, 1000)
  for _, lease_id in ipairs(impossible) do
    drop_lease(budget, expiry, leases, reserved, shares, lease_id)
  end
  local start = tonumber(redis.call('HGET', budget, 'period_start'))
  local length = tonumber(redis.call('HGET', budget, 'period_ms'))
  if start and length and tonumber(now) >= start + length then
    local current_start = start + math.floor((now - start) / length) * length
    redis.call('HSET', budget, 'period_start', integer_text(current_start), 'spent', '0')
  end
end
