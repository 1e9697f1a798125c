-- All that an admission looks at, at one moment, after tidying up.
-- KEYS 1 budget  2 expiry  3 leases  4 reserved  5 minute  6 ticket's spend  7 batch  8 shares
-- ARGV 1 now  2 lease id  3 share id of the batch or ''
-- Replies: {} when there is no such budget, else {definition, definition version, controls, version, spent, committed, running,
--   started this minute, spent this minute, ticket's spend, ticket cancelled, lease JSON, lease's reserved, ticket begun, batch};
--   batch is {} or a list in the order of the names below; a missing value is ''.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return {}
end
wl_tidy(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[8], tonumber(ARGV[1]))
local reply = redis.call('HMGET', KEYS[1], 'definition', 'definition_version', 'controls', 'version', 'spent', 'committed')
reply[7] = tostring(redis.call('ZCARD', KEYS[2]))
local minute = redis.call('HMGET', KEYS[5], 'started', 'spent')
local ticket = redis.call('HMGET', KEYS[6], 'spent', 'cancelled', 'begun')
reply[8], reply[9] = minute[1], minute[2]
reply[10], reply[11] = ticket[1], ticket[2]
reply[12], reply[13] = redis.call('HGET', KEYS[3], ARGV[2]), redis.call('HGET', KEYS[4], ARGV[2])
reply[14] = ticket[3]
for index = 1, 14 do
  reply[index] = reply[index] or ''
end
local batch = {}
if ARGV[3] ~= '' and redis.call('EXISTS', KEYS[7]) == 1 then
  batch = redis.call('HMGET', KEYS[7], 'gate', 'reason', 'spent', 'state', 'limits', 'concurrency_now', 'minute', 'minute_started', 'begun', 'begun_ended',
    'led', 'n:succeeded', 'n:failed', 'n:dead', 'n:quarantined')
  local share = redis.call('HMGET', KEYS[8], 'left ' .. ARGV[3], 'amount ' .. ARGV[3], 'count ' .. ARGV[3])
  for index = 1, 3 do
    batch[15 + index] = share[index]
  end
  for index = 1, 18 do
    batch[index] = batch[index] or ''
  end
end
reply[15] = batch
return reply
