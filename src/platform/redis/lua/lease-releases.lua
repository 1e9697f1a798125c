-- Prelude: the release of a lease. `at` holds the keys and `ask` the arguments, by the names that
-- lease-release.lua gives them.

-- Ends a ticket's lease, and with an outcome the ticket. Returns what lease-release.lua replies.
local function release_lease(at, ask)
  local budget, expiry, leases, reserved = at.budget, at.expiry, at.leases, at.reserved
  local shares, ticket_spend, batch = at.shares, at.ticket_spend, at.batch
  local now, lease_id, outcome, share = ask.now, ask.lease_id, ask.outcome, ask.share

  local function reduce_share_to_open_tickets()
    local per_ticket, queued, running, waiting = unpack(redis.call('HMGET', batch,
      'estimated_per_ticket', 'tickets:queued', 'tickets:running', 'tickets:waiting'))
    if share == '' or not per_ticket then
      return
    end
    local open = number_or_zero(queued) + number_or_zero(running) + number_or_zero(waiting)
    local left = number_or_zero(redis.call('HGET', shares, 'unleased:' .. share))
    reduce_share(budget, shares, share, left - open * per_ticket)
  end

  if ask.is_unused then
    drop_lease(budget, expiry, leases, reserved, shares, lease_id)
  else
    end_lease(budget, expiry, leases, reserved, shares, lease_id, now)
  end
  if outcome == '' then
    return {}
  end
  if #ask.rollouts > 0 then
    rollout_tickets().expose(ask.rollouts, ask.assignments, now, ticket_spend)
  end
  reduce_share_to_open_tickets()
  if redis.call('HSETNX', ticket_spend, 'finished', outcome) == 0 then
    return {}
  end
  redis.call('PEXPIRE', ticket_spend, ask.ticket_ttl_ms)
  local spent, started_at, attempts, counted_by = unpack(redis.call('HMGET', ticket_spend, 'spent',
    'started', 'attempts', 'rollouts'))
  if counted_by then
    rollout_tickets().settle(counted_by, outcome, now)
  end
  -- The cost of a cancelled ticket does not say what a ticket of its kind costs.
  if outcome ~= 'cancelled' then
    redis.call('LPUSH', at.kind_costs, spent or '0')
    redis.call('LTRIM', at.kind_costs, 0, ask.history_length - 1)
  end
  return { spent or '0', started_at or now, attempts or '1' }
end
