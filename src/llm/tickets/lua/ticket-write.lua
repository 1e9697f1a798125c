-- Writes fields of a ticket, and moves it to another state with everything that counts states.
-- Modes: 'update' = write as the holder | 'claim' = become the holder and write
--   | 'claim_if_idle' = the same, unless the ticket is running
--   | 'claim_for_recovery' = the same, also for a dead ticket, which is then open again
--   | 'activate_draft' = write for any holder, if the ticket waits for its draft batch
-- Replies: 1 = written | 0 = another holder has the ticket, or the mode does not permit it
--   | -1 = there is no such ticket
local ticket = KEYS[1]
local open_tickets = KEYS[2]
local counts = KEYS[3]
local batch = KEYS[4] -- any key if the ticket has no batch, here and in the next but one
local ticket_spend = KEYS[5]
local batch_ended = KEYS[6]
local reference_holder = KEYS[7] -- any key if the ticket has no reference
local heartbeats = KEYS[8]
local holder = ARGV[1]
local now = ARGV[2]
local mode = ARGV[3]
local retention_ms = ARGV[4] -- after the ticket's end
local new_state = ARGV[5] -- '' = the state stays
local slot = ARGV[6] -- of time, in which an end is counted
local fields = { unpack(ARGV, 7) } -- name, value, …

local state, current_holder, queue, budget_id, batch_id, id, reason, reference = unpack(redis.call(
  'HMGET', ticket, 'state', 'holder', 'queue', 'budget', 'batch', 'id', 'reason', 'external_ref'))
if not state then
  return -1
end
local is_end = {
  succeeded = true,
  failed = true,
  dead = true,
  cancelled = true,
  quarantined = true,
}
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
if mode == 'claim_for_recovery' and is_dead then
  -- The ticket is open again: undo what its end did.
  if reference and reference ~= '' then
    local referenced = redis.call('GET', reference_holder)
    if referenced and referenced ~= id then
      return 0
    end
    redis.call('SET', reference_holder, id)
  end
  redis.call('PERSIST', ticket)
  redis.call('PERSIST', ticket_spend)
  redis.call('HDEL', ticket_spend, 'finished')
  redis.call('ZADD', open_tickets, now, id)
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
    redis.call('HINCRBY', batch_ended, slot, 1)
    redis.call('PEXPIRE', batch_ended, retention_ms)
    if redis.call('HGET', ticket_spend, 'begun') then
      redis.call('HINCRBY', batch, 'begun_ended', 1)
    end
  end
  redis.call('ZREM', open_tickets, id)
  redis.call('PEXPIRE', ticket, retention_ms)
  if redis.call('GET', reference_holder) ~= id then
    return
  end
  -- Work that did not succeed may be handed in again under its reference.
  if new_state == 'succeeded' then
    redis.call('PEXPIRE', reference_holder, retention_ms)
  else
    redis.call('DEL', reference_holder)
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
    redis.call('ZADD', heartbeats, now, id)
  end
elseif written_state == 'waiting' and written_reason == 'recovery' then
  -- NX: a recovery that fails leaves the old heartbeat, so that the ticket is found again.
  redis.call('ZADD', heartbeats, 'NX', now, id)
elseif written_state ~= 'waiting' or written_reason ~= 'worker_lost' then
  redis.call('ZREM', heartbeats, id)
end
return 1
