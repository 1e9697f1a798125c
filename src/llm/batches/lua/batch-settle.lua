-- Ends a batch that takes no more tickets and has no open one, and ends its reservation.
-- Replies: 1 = ended | 0 = a ticket is open or has a lease, or the batch takes more tickets
local budget = KEYS[1]
local expiry = KEYS[2]
local leases = KEYS[3]
local reserved = KEYS[4]
local shares = KEYS[5]
local batch = KEYS[6]
local active_batches = KEYS[7]
local now = ARGV[1]
local share = ARGV[2]

local state, sealed, queued, running, waiting, id = unpack(redis.call('HMGET', batch, 'state',
  'sealed', 'tickets:queued', 'tickets:running', 'tickets:waiting', 'id'))
if not state or (not sealed and state ~= 'cancelled') then
  return 0
end
if number_or_zero(queued) > 0 or number_or_zero(running) > 0 or number_or_zero(waiting) > 0 then
  return 0
end
end_expired(budget, expiry, leases, reserved, shares, now)
if number_or_zero(redis.call('HGET', shares, 'leases:' .. share)) > 0 then
  return 0
end
local left = number_or_zero(redis.call('HGET', shares, 'unleased:' .. share))
reduce_share(budget, shares, share, left)
redis.call('HDEL', shares, 'unleased:' .. share, 'leased:' .. share, 'leases:' .. share)
if state == 'open' then
  redis.call('HSET', batch, 'state', 'done')
  redis.call('HINCRBY', batch, 'version', 1)
end
redis.call('HINCRBY', batch, 'revision', 1)
redis.call('SREM', active_batches, id)
return 1
