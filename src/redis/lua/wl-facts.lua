-- All that an admission looks at, at one moment, after tidying up.
-- KEYS 1 budget  2 expiry  3 leases  4 reserved  5 minute  6 ticket's spend  7 batch
-- ARGV 1 now  2 lease id
-- Replies: {} when there is no such budget, else {definition, definition version, controls, version, spent, committed, running,
--   started this minute, spent this minute, ticket's spend, ticket cancelled, lease JSON, lease's reserved,
--   batch gate, batch reason, batch spent, batch limit, batch cap per ticket}; a missing value is ''.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return {}
end
wl_tidy(KEYS[1], KEYS[2], KEYS[3], KEYS[4], tonumber(ARGV[1]))
local reply = redis.call('HMGET', KEYS[1], 'definition', 'definition_version', 'controls', 'version', 'spent', 'committed')
reply[7] = tostring(redis.call('ZCARD', KEYS[2]))
local minute = redis.call('HMGET', KEYS[5], 'started', 'spent')
local ticket = redis.call('HMGET', KEYS[6], 'spent', 'cancelled')
local batch = redis.call('HMGET', KEYS[7], 'gate', 'reason', 'spent', 'max_cost', 'ticket_cap')
reply[8], reply[9] = minute[1], minute[2]
reply[10], reply[11] = ticket[1], ticket[2]
reply[12], reply[13] = redis.call('HGET', KEYS[3], ARGV[2]), redis.call('HGET', KEYS[4], ARGV[2])
reply[14], reply[15], reply[16], reply[17], reply[18] = batch[1], batch[2], batch[3], batch[4], batch[5]
for index = 1, 18 do
  reply[index] = reply[index] or ''
end
return reply
