-- Ends a batch that takes no more tickets and has none that is open: what is still reserved for it is given back.
-- KEYS 1 budget  2 expiry  3 leases  4 reserved  5 shares  6 batch  7 active batches
-- ARGV 1 now  2 share id
-- Replies 1, or 0 when a ticket is still open, has a lease, or the batch takes more tickets.
local batch = redis.call('HMGET', KEYS[6], 'state', 'sealed', 'n:queued', 'n:running', 'n:waiting', 'id')
if not batch[1] or (not batch[2] and batch[1] ~= 'cancelled') then
  return 0
end
for index = 3, 5 do
  if tonumber(batch[index] or '0') > 0 then
    return 0
  end
end
wl_tidy(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], tonumber(ARGV[1]))
if tonumber(redis.call('HGET', KEYS[5], 'count ' .. ARGV[2]) or '0') > 0 then
  return 0
end
wl_shrink(KEYS[1], KEYS[5], ARGV[2], tonumber(redis.call('HGET', KEYS[5], 'left ' .. ARGV[2]) or '0'))
for _, name in ipairs({ 'left ', 'amount ', 'count ' }) do
  redis.call('HDEL', KEYS[5], name .. ARGV[2])
end
if batch[1] == 'open' then
  redis.call('HSET', KEYS[6], 'state', 'done')
  redis.call('HINCRBY', KEYS[6], 'version', 1)
end
redis.call('HINCRBY', KEYS[6], 'revision', 1)
redis.call('SREM', KEYS[7], batch[6])
return 1
