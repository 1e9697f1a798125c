-- Reads everything that an admission depends on, at one moment, after expired leases were ended. A
-- later turn of a lease ends the one before: that is charged when nothing was reported.
-- Replies: {} = there is no such budget | {definition, definition version, controls, version,
--   spent, committed, running, started this minute, spent this minute, ticket's spend, ticket
--   cancelled, lease JSON, lease's reservation, ticket begun, batch, estimated part of spent}
--   batch is {} = no batch | {the fields of its hash as read below, and of its share what no lease
--   has, what its leases have, and how many there are}. A missing value is ''.
local budget = KEYS[1]
local expiry = KEYS[2]
local leases = KEYS[3]
local reserved = KEYS[4]
local minute = KEYS[5]
local ticket_spend = KEYS[6]
local batch = KEYS[7]
local shares = KEYS[8]
local now = ARGV[1]
local lease_id = ARGV[2]
local share = ARGV[3] -- '' = no batch
local turn = tonumber(ARGV[4]) -- that is asked for

if redis.call('EXISTS', budget) == 0 then
  return {}
end
end_expired(budget, expiry, leases, reserved, shares, now)
end_turn(budget, leases, reserved, shares, lease_id, turn, now)

local function replace_missing(list)
  for index = 1, #list do
    list[index] = list[index] or ''
  end
  return list
end

local batch_facts = {}
if share ~= '' and redis.call('EXISTS', batch) == 1 then
  batch_facts = redis.call('HMGET', batch, 'gate', 'reason', 'spent', 'state', 'limits',
    'concurrency_now', 'minute', 'minute_started', 'begun', 'begun_ended', 'pilot_passed',
    'tickets:succeeded', 'tickets:failed', 'tickets:dead', 'tickets:quarantined')
  local share_facts = redis.call('HMGET', shares, 'unleased:' .. share, 'leased:' .. share,
    'leases:' .. share)
  for _, value in ipairs(share_facts) do
    batch_facts[#batch_facts + 1] = value
  end
end
local definition, definition_version, controls, version, spent, committed, estimated =
  unpack(redis.call('HMGET', budget, 'definition', 'definition_version', 'controls', 'version',
  'spent', 'committed', 'estimated'))
local minute_started, minute_spent = unpack(redis.call('HMGET', minute, 'started', 'spent'))
local ticket_spent, ticket_cancelled, ticket_begun =
  unpack(redis.call('HMGET', ticket_spend, 'spent', 'cancelled', 'begun'))
return replace_missing({
  definition,
  definition_version,
  controls,
  version,
  spent,
  committed,
  tostring(redis.call('ZCARD', expiry)),
  minute_started,
  minute_spent,
  ticket_spent,
  ticket_cancelled,
  redis.call('HGET', leases, lease_id),
  redis.call('HGET', reserved, lease_id),
  ticket_begun,
  replace_missing(batch_facts),
  estimated,
})
