-- Prelude: writes of a ticket. `at` holds the keys, by the names that ticket-write.lua gives them.

-- Writes fields (name, value, …) of a ticket, and moves it to another state with everything that
-- counts states; see ticket-write.lua for the modes and what is returned. `slot` is of time, in
-- which an end is counted; retention_ms begins at the end.
local function write_ticket(at, mode, holder, now, new_state, fields, slot, retention_ms)
  local ticket, counts, batch, ticket_spend = at.ticket, at.counts, at.batch, at.ticket_spend
  local state, current_holder, queue, budget_id, batch_id, id, reason, reference = unpack(
    redis.call('HMGET', ticket, 'state', 'holder', 'queue', 'budget', 'batch', 'id', 'reason',
    'external_ref'))
  if not state then
    return -1
  end
  local is_dead = state == 'dead'
  if is_end[state] and not (mode == 'claim_for_recovery' and is_dead) then
    return 0
  end
  if mode == 'update' and current_holder ~= holder then
    return 0
  end
  if mode == 'claim' and state == 'waiting' and reason == 'recovery' then
    return 0
  end
  if mode == 'claim_if_idle' and state == 'running' then
    return 0
  end
  if mode == 'activate_draft' and (state ~= 'waiting' or reason ~= 'batch_draft') then
    return 0
  end

  local function release_to_queue()
    redis.call('ZADD', at.open_tickets, now, id)
    redis.call('ZADD', at.unqueued_tickets, now, id)
  end

  if mode == 'activate_draft' then
    release_to_queue()
  end
  if mode == 'claim_for_recovery' and is_dead then
    -- The ticket is open again: undo what its end did.
    if reference and reference ~= '' then
      local referenced = redis.call('GET', at.reference_holder)
      if referenced and referenced ~= id then
        return 0
      end
      redis.call('SET', at.reference_holder, id)
    end
    redis.call('PERSIST', ticket)
    redis.call('PERSIST', ticket_spend)
    redis.call('HDEL', ticket_spend, 'finished')
    release_to_queue()
    if batch_id ~= '' and redis.call('HGET', ticket_spend, 'begun') then
      redis.call('HINCRBY', batch, 'begun_ended', -1)
    end
  end
  if mode ~= 'update' and mode ~= 'activate_draft' then
    redis.call('HSET', ticket, 'holder', holder)
  end
  redis.call('HSET', ticket, 'updated', now, unpack(fields))

  local function enter_state()
    redis.call('HSET', ticket, 'state', new_state)
    redis.call('HINCRBY', counts, 'queue ' .. queue .. ' ' .. state, -1)
    redis.call('HINCRBY', counts, 'queue ' .. queue .. ' ' .. new_state, 1)
    redis.call('HINCRBY', counts, 'budget ' .. budget_id .. ' ' .. state, -1)
    redis.call('HINCRBY', counts, 'budget ' .. budget_id .. ' ' .. new_state, 1)
    if batch_id ~= '' then
      redis.call('HINCRBY', batch, 'tickets:' .. state, -1)
      redis.call('HINCRBY', batch, 'tickets:' .. new_state, 1)
      redis.call('HINCRBY', batch, 'revision', 1)
    end
  end

  local function end_ticket()
    if batch_id ~= '' then
      redis.call('HINCRBY', at.batch_ended, slot, 1)
      redis.call('PEXPIRE', at.batch_ended, retention_ms)
      if redis.call('HGET', ticket_spend, 'begun') then
        redis.call('HINCRBY', batch, 'begun_ended', 1)
      end
    end
    redis.call('ZREM', at.open_tickets, id)
    redis.call('PEXPIRE', ticket, retention_ms)
    if redis.call('GET', at.reference_holder) ~= id then
      return
    end
    -- Work that did not succeed may be handed in again under its reference.
    if new_state == 'succeeded' then
      redis.call('PEXPIRE', at.reference_holder, retention_ms)
    else
      redis.call('DEL', at.reference_holder)
    end
  end

  if new_state ~= '' and new_state ~= state then
    enter_state()
    if is_end[new_state] then
      end_ticket()
    end
  end
  -- A ticket that was lost or is being recovered has no new heartbeat until it runs again.
  local written_state, written_reason, stage =
    unpack(redis.call('HMGET', ticket, 'state', 'reason', 'stage'))
  if written_state == 'running' and stage and stage ~= '' then
    if mode == 'update' then
      redis.call('ZADD', at.heartbeats, now, id)
    end
  elseif written_state == 'waiting' and written_reason == 'recovery' then
    -- NX: a recovery that fails leaves the old heartbeat, so that the ticket is found again.
    redis.call('ZADD', at.heartbeats, 'NX', now, id)
  elseif written_state ~= 'waiting' or written_reason ~= 'worker_lost' then
    redis.call('ZREM', at.heartbeats, id)
  end
  return 1
end
