-- Prelude: the commit of an admission. `at` holds the keys and `ask` the arguments, by the names
-- that admit.lua gives them.

-- Commits an admission if everything in `ask` still holds. Returns 'admitted' or 'changed'.
local function commit_admission(at, ask)
  local budget, expiry, leases, reserved = at.budget, at.expiry, at.leases, at.reserved
  local minute, ticket_spend, batch, shares = at.minute, at.ticket_spend, at.batch, at.shares
  local now, lease_id, estimate, share = ask.now, ask.lease_id, ask.estimate, ask.share

  end_expired(budget, expiry, leases, reserved, shares, now)
  local version, stored_definition_version, spent, committed =
    unpack(redis.call('HMGET', budget, 'version', 'definition_version', 'spent', 'committed'))
  if version ~= ask.controls_version or stored_definition_version ~= ask.definition_version then
    return 'changed'
  end
  local starts = redis.call('ZSCORE', expiry, lease_id) == false
  local own = number_or_zero(redis.call('HGET', reserved, lease_id))
  local left = 0
  if share ~= '' then
    left = number_or_zero(redis.call('HGET', shares, 'unleased:' .. share))
  end
  local from_batch = math.min(left, math.max(0, estimate - own))
  if spent + committed - own + estimate - from_batch > ask.limit then
    return 'changed'
  end
  if starts and ask.max_running ~= ''
    and redis.call('ZCARD', expiry) >= tonumber(ask.max_running) then
    return 'changed'
  end
  if starts and ask.max_starts ~= ''
    and number_or_zero(redis.call('HGET', minute, 'started')) >= tonumber(ask.max_starts) then
    return 'changed'
  end
  if redis.call('HGET', ticket_spend, 'cancelled') then
    return 'changed'
  end
  local is_first_start = redis.call('HGET', ticket_spend, 'begun') == false
  if share ~= '' then
    local gate, state, batch_spent, started_minute, minute_started, begun, begun_ended, succeeded,
      failed, dead, quarantined = unpack(redis.call('HMGET', batch, 'gate', 'state', 'spent',
      'minute', 'minute_started', 'begun', 'begun_ended', 'tickets:succeeded', 'tickets:failed',
      'tickets:dead', 'tickets:quarantined'))
    if gate == 'paused' or state == 'draft' or state == 'cancelled' then
      return 'changed'
    end
    if ask.batch_max_cost ~= '' then
      local in_flight = number_or_zero(redis.call('HGET', shares, 'leased:' .. share))
      local others = math.max(0, in_flight - own)
      if number_or_zero(batch_spent) + others + estimate > tonumber(ask.batch_max_cost) then
        return 'changed'
      end
    end
    if starts and ask.batch_max_running ~= ''
      and number_or_zero(redis.call('HGET', shares, 'leases:' .. share))
        >= tonumber(ask.batch_max_running) then
      return 'changed'
    end
    local started = started_minute == ask.minute_index and number_or_zero(minute_started) or 0
    if starts and ask.batch_max_starts ~= '' and started >= tonumber(ask.batch_max_starts) then
      return 'changed'
    end
    if starts and is_first_start and ask.pilot_size ~= '' then
      local ended = number_or_zero(succeeded) + number_or_zero(failed) + number_or_zero(dead)
        + number_or_zero(quarantined)
      local open = number_or_zero(begun) - number_or_zero(begun_ended)
      if ended + open >= tonumber(ask.pilot_size) then
        return 'changed'
      end
    end
    if starts then
      redis.call('HSET', shares, 'share_of:' .. lease_id, share)
      redis.call('HINCRBY', shares, 'leases:' .. share, 1)
      redis.call('HSET', batch, 'minute', ask.minute_index, 'minute_started', started + 1)
      if is_first_start then
        redis.call('HINCRBY', batch, 'begun', 1)
        if ask.pilot_passed then
          redis.call('HSET', batch, 'pilot_passed', '1')
        end
      end
    end
  end

  redis.call('HSET', ticket_spend, 'begun', '1')
  reserve_for_lease(budget, shares, share, estimate - own)
  redis.call('HSET', reserved, lease_id, estimate)
  redis.call('HSET', leases, lease_id, ask.lease)
  redis.call('HDEL', shares, 'reported:' .. lease_id)
  redis.call('ZADD', expiry, ask.lease_expires_at, lease_id)
  redis.call('ZADD', at.leased_budgets, ask.lease_expires_at, ask.budget_id)
  if starts then
    redis.call('HINCRBY', minute, 'started', 1)
    redis.call('PEXPIRE', minute, ask.minute_ttl_ms)
  end
  redis.call('HSETNX', ticket_spend, 'started', now)
  if number_or_zero(redis.call('HGET', ticket_spend, 'attempts')) < tonumber(ask.attempt) then
    redis.call('HSET', ticket_spend, 'attempts', ask.attempt)
  end
  if #ask.rollouts > 0 then
    rollout_tickets().expose(ask.rollouts, ask.assignments, now, ticket_spend)
  end
  redis.call('PEXPIRE', ticket_spend, ask.ticket_ttl_ms)
  add_queue(budget, at.queues, ask.queue)
  if ask.batch_id ~= '' then
    redis.call('SADD', at.batches, ask.batch_id)
  end
  redis.call('XADD', at.log, 'MAXLEN', '~', ask.log_length, '*', 'kind', 'admitted', 'at', now,
    'budget', ask.budget_id, 'ticket', ask.ticket_id, 'starts', starts and '1' or '0')
  return 'admitted'
end
