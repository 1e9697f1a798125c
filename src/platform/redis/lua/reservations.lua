-- Prelude: what leases and batches have reserved of a budget. Amounts are integers in micro-USD;
-- times are UTC in ms, of the caller's clock.
-- A lease is three things that are written together: its expiry, its reserved amount and its
-- description. `committed` of the budget is the sum of all reserved amounts.
-- `shares` holds what batches have reserved; share is a batch's id in it, '' = no batch:
--   'share_of:<lease id>' = share that the lease belongs to
--   'unleased:<share>' = reserved by the batch and not by its leases
--   'leased:<share>' and 'leases:<share>' = reserved by its leases, and how many leases there are
--   'reported:<lease id>' = usage was reported since the lease's last admission
-- A lease whose turn ends without a report is charged with its reservation, as the provider bills
-- what nobody reports. What the ticket costs (`spend` of the lease's description) holds such
-- charges until a late report replaces them: 'unreported' = how many there are, and
-- 'unreported:<attempt>:<turn>:<when>' = each of them as JSON. The list `unreported` of the
-- description holds what the history has not been told of yet.
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

-- Takes what is charged out of a lease's reservation, at most to zero. Returns how much it took.
local function settle_reservation(budget, reserved, shares, lease_id, amount)
  local reserved_amount = number_or_zero(redis.call('HGET', reserved, lease_id))
  local settled = math.min(reserved_amount, math.max(0, amount))
  if settled > 0 then
    add_committed(budget, -settled)
    redis.call('HSET', reserved, lease_id, integer_text(reserved_amount - settled))
    local lease_share = redis.call('HGET', shares, 'share_of:' .. lease_id)
    if lease_share then
      redis.call('HINCRBY', shares, 'leased:' .. lease_share, integer_text(-settled))
    end
  end
  return settled
end

-- Changes the period's spend. What was charged in an earlier period is not given back in this one.
local function add_spent(budget, amount, charged_at)
  if amount >= 0 or charged_at >= number_or_zero(redis.call('HGET', budget, 'period_start')) then
    redis.call('HINCRBY', budget, 'spent', integer_text(amount))
  end
end

-- Changes how much of the period's spend is an estimate.
local function add_estimated(budget, amount)
  if amount ~= 0 and redis.call('HINCRBY', budget, 'estimated', integer_text(amount)) < 0 then
    -- It was charged in an earlier period.
    redis.call('HSET', budget, 'estimated', '0')
  end
end

-- What the admission of the lease's turn reserved; 0 when it does not say so.
local function estimate_of_lease(leases, lease_id)
  local text = redis.call('HGET', leases, lease_id)
  return text and number_or_zero(cjson.decode(text).estimate) or 0
end

-- More unreported turns of one ticket are charged, and cannot be replaced one by one.
local max_unreported = 200
-- Unreported turns that wait to be written into the history.
local max_pending_unreported = 100000

local function push_unreported(item)
  redis.call('RPUSH', item.lease.unreported, cjson.encode(item))
  redis.call('LTRIM', item.lease.unreported, -max_pending_unreported, -1)
end

-- Charges the turn of a lease that ends without a report.
local function charge_unreported(budget, leases, reserved, shares, lease_id, now)
  if redis.call('HEXISTS', shares, 'reported:' .. lease_id) == 1 then
    return
  end
  local amount = number_or_zero(redis.call('HGET', reserved, lease_id))
  local text = amount > 0 and redis.call('HGET', leases, lease_id)
  if not text then
    return
  end
  local lease = cjson.decode(text)
  if not lease.spend then
    return
  end
  local spend, batch = lease.spend, lease.batch
  local item = { lease = lease, amount = amount, at = tonumber(now) }
  settle_reservation(budget, reserved, shares, lease_id, amount)
  redis.call('HINCRBY', budget, 'spent', integer_text(amount))
  add_estimated(budget, amount)
  redis.call('HINCRBY', spend, 'spent', integer_text(amount))
  redis.call('HSET', spend, 'unpriced', '1')
  if number_or_zero(redis.call('HGET', spend, 'unreported')) < max_unreported then
    local field = 'unreported:' .. integer_text(lease.attempt) .. ':' .. integer_text(lease.turn)
      .. ':' .. now
    redis.call('HINCRBY', spend, 'unreported', redis.call('HSETNX', spend, field,
      cjson.encode(item)))
  end
  if redis.call('EXISTS', batch) == 1 then
    redis.call('HINCRBY', batch, 'spent', integer_text(amount))
    redis.call('HINCRBY', batch, 'revision', 1)
  end
  push_unreported(item)
end

-- Ends the turn of a lease whose ticket asks for a later one; a turn without a report is charged.
local function end_turn(budget, leases, reserved, shares, lease_id, next_turn, now)
  local text = next_turn > 0 and redis.call('HGET', leases, lease_id)
  if not text or next_turn <= cjson.decode(text).turn
    or redis.call('HEXISTS', shares, 'reported:' .. lease_id) == 1 then
    return
  end
  charge_unreported(budget, leases, reserved, shares, lease_id, now)
end

-- Takes a charge of an unreported turn back, and has the history told of it. Returns the amount
-- and when it was charged; 0 = there is no such charge.
local function take_unreported(spend, field, now)
  local text = field and redis.call('HGET', spend, field)
  if not text then
    return 0, tonumber(now)
  end
  redis.call('HDEL', spend, field)
  redis.call('HINCRBY', spend, 'unreported', -1)
  local item = cjson.decode(text)
  item.replaced = true
  push_unreported(item)
  return item.amount, item.at
end

-- The charge that a late report is about: that of its attempt and turn or, for a report that names
-- no turn, the newest one.
local function unreported_field(spend, attempt, turn)
  if number_or_zero(redis.call('HGET', spend, 'unreported')) <= 0 then
    return nil
  end
  local wanted = 'unreported:' .. attempt .. ':' .. turn .. ':'
  local best, best_at, is_best_wanted
  for _, field in ipairs(redis.call('HKEYS', spend)) do
    local at = tonumber(string.match(field, '^unreported:%d+:%d+:(%d+)$') or '')
    local is_wanted = string.sub(field, 1, #wanted) == wanted
    if at and (is_wanted or turn == '0') then
      local is_better = not best or (is_wanted and not is_best_wanted)
        or (is_wanted == is_best_wanted and at > best_at)
      if is_better then
        best, best_at, is_best_wanted = field, at, is_wanted
      end
    end
  end
  return best
end

-- Ends a lease and its reservation. Returns 1 when there was one.
local function drop_lease(budget, expiry, leases, reserved, shares, lease_id)
  local amount = number_or_zero(redis.call('HGET', reserved, lease_id))
  local share = redis.call('HGET', shares, 'share_of:' .. lease_id) or ''
  reserve_for_lease(budget, shares, share, -amount)
  if share ~= '' then
    redis.call('HINCRBY', shares, 'leases:' .. share, -1)
  end
  redis.call('HDEL', shares, 'share_of:' .. lease_id, 'reported:' .. lease_id)
  redis.call('HDEL', reserved, lease_id)
  redis.call('HDEL', leases, lease_id)
  return redis.call('ZREM', expiry, lease_id)
end

-- Ends a lease; a turn without a report is charged.
local function end_lease(budget, expiry, leases, reserved, shares, lease_id, now)
  charge_unreported(budget, leases, reserved, shares, lease_id, now)
  return drop_lease(budget, expiry, leases, reserved, shares, lease_id)
end

-- No lease is longer. One that ends later was given before the clock was set back: it is over.
local max_lease_ms = 120000

-- Ends expired leases, and begins a new period when the current one is over.
local function end_expired(budget, expiry, leases, reserved, shares, now)
  local expired = redis.call('ZRANGEBYSCORE', expiry, '-inf', now, 'LIMIT', 0, 1000)
  for _, lease_id in ipairs(expired) do
    end_lease(budget, expiry, leases, reserved, shares, lease_id, now)
  end
  -- Of two clocks the later one counts: a caller may not have heard yet that Redis' was set on.
  local latest = math.max(tonumber(now), redis.call('TIME')[1] * 1000) + max_lease_ms + 1000
  local impossible = redis.call('ZRANGEBYSCORE', expiry, '(' .. integer_text(latest), '+inf',
    'LIMIT', 0, 1000)
  for _, lease_id in ipairs(impossible) do
    end_lease(budget, expiry, leases, reserved, shares, lease_id, now)
  end
  local start = tonumber(redis.call('HGET', budget, 'period_start'))
  local length = tonumber(redis.call('HGET', budget, 'period_ms'))
  if start and length and tonumber(now) >= start + length then
    local current_start = start + math.floor((now - start) / length) * length
    redis.call('HSET', budget, 'period_start', integer_text(current_start), 'spent', '0',
      'estimated', '0')
  end
end
