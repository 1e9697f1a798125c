-- Commits an admission decided from a snapshot (admission-facts.lua): reserves the estimate under
-- the ticket's one lease, and exposes the ticket to its rollouts.
-- Replies: 'admitted' | 'changed' (the snapshot is stale: read again and decide again)
local budget = KEYS[1]
local expiry = KEYS[2]
local leases = KEYS[3]
local reserved = KEYS[4]
local minute = KEYS[5]
local ticket_spend = KEYS[6]
local batch = KEYS[7]
local log = KEYS[8]
local queues = KEYS[9]
local batches = KEYS[10]
local shares = KEYS[11]
local leased_budgets = KEYS[12]
local rollouts = { unpack(KEYS, 13) } -- of the assignments
local now = ARGV[1]
local lease_id = ARGV[2]
local lease = ARGV[3] -- JSON
local controls_version = ARGV[4]
local definition_version = ARGV[5]
local limit = tonumber(ARGV[6])
local estimate = ARGV[7]
local max_running = ARGV[8] -- '' = no limit, here and in every other maximum
local max_starts = ARGV[9] -- per minute
local lease_expires_at = ARGV[10]
local budget_id = ARGV[11]
local ticket_id = ARGV[12]
local attempt = ARGV[13]
local minute_ttl_ms = ARGV[14]
local ticket_ttl_ms = ARGV[15]
local queue = ARGV[16]
local batch_id = ARGV[17] -- '' = no batch
local log_length = ARGV[18]
local share = ARGV[19] -- '' = no batch
local batch_max_running = ARGV[20]
local batch_max_starts = ARGV[21] -- per minute
local minute_index = ARGV[22]
local batch_max_cost = ARGV[23]
local pilot_size = ARGV[24] -- '' = there are no pilot tickets, or they have ended
local pilot_passed = ARGV[25] == '1'
local assignments = { unpack(ARGV, 26) } -- see rollouts.lua

end_expired(budget, expiry, leases, reserved, shares, now)
local version, stored_definition_version, spent, committed =
  unpack(redis.call('HMGET', budget, 'version', 'definition_version', 'spent', 'committed'))
if version ~= controls_version or stored_definition_version ~= definition_version then
  return 'changed'
end
local starts = redis.call('ZSCORE', expiry, lease_id) == false
local own = number_or_zero(redis.call('HGET', reserved, lease_id))
local left = 0
if share ~= '' then
  left = number_or_zero(redis.call('HGET', shares, 'unleased:' .. share))
end
local from_batch = math.min(left, math.max(0, estimate - own))
if spent + committed - own + estimate - from_batch > limit then
  return 'changed'
end
if starts and max_running ~= '' and redis.call('ZCARD', expiry) >= tonumber(max_running) then
  return 'changed'
end
if starts and max_starts ~= ''
  and number_or_zero(redis.call('HGET', minute, 'started')) >= tonumber(max_starts) then
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
  if batch_max_cost ~= '' then
    local in_flight = number_or_zero(redis.call('HGET', shares, 'leased:' .. share))
    local others = math.max(0, in_flight - own)
    if number_or_zero(batch_spent) + others + estimate > tonumber(batch_max_cost) then
      return 'changed'
    end
  end
  if starts and batch_max_running ~= ''
    and number_or_zero(redis.call('HGET', shares, 'leases:' .. share))
      >= tonumber(batch_max_running) then
    return 'changed'
  end
  local started = started_minute == minute_index and number_or_zero(minute_started) or 0
  if starts and batch_max_starts ~= '' and started >= tonumber(batch_max_starts) then
    return 'changed'
  end
  if starts and is_first_start and pilot_size ~= '' then
    local ended = number_or_zero(succeeded) + number_or_zero(failed) + number_or_zero(dead)
      + number_or_zero(quarantined)
    local open = number_or_zero(begun) - number_or_zero(begun_ended)
    if ended + open >= tonumber(pilot_size) then
      return 'changed'
    end
  end
  if starts then
    redis.call('HSET', shares, 'share_of:' .. lease_id, share)
    redis.call('HINCRBY', shares, 'leases:' .. share, 1)
    redis.call('HSET', batch, 'minute', minute_index, 'minute_started', started + 1)
    if is_first_start then
      redis.call('HINCRBY', batch, 'begun', 1)
      if pilot_passed then
        redis.call('HSET', batch, 'pilot_passed', '1')
      end
    end
  end
end

redis.call('HSET', ticket_spend, 'begun', '1')
reserve_for_lease(budget, shares, share, estimate - own)
redis.call('HSET', reserved, lease_id, estimate)
redis.call('HSET', leases, lease_id, lease)
redis.call('HDEL', shares, 'reported:' .. lease_id)
redis.call('ZADD', expiry, lease_expires_at, lease_id)
redis.call('ZADD', leased_budgets, lease_expires_at, budget_id)
if starts then
  redis.call('HINCRBY', minute, 'started', 1)
  redis.call('PEXPIRE', minute, minute_ttl_ms)
end
redis.call('HSETNX', ticket_spend, 'started', now)
if number_or_zero(redis.call('HGET', ticket_spend, 'attempts')) < tonumber(attempt) then
  redis.call('HSET', ticket_spend, 'attempts', attempt)
end
if #rollouts > 0 then
  rollout_tickets().expose(rollouts, assignments, now, ticket_spend)
end
redis.call('PEXPIRE', ticket_spend, ticket_ttl_ms)
add_queue(budget, queues, queue)
if batch_id ~= '' then
  redis.call('SADD', batches, batch_id)
end
redis.call('XADD', log, 'MAXLEN', '~', log_length, '*', 'kind', 'admitted', 'at', now,
  'budget', budget_id, 'ticket', ticket_id, 'starts', starts and '1' or '0')
return 'admitted'
