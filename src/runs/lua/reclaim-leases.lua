-- Ends the live leases of one worker's name, whose process is dead; its runs are due at once.
-- A leased run is due when its lease ends, so only runs that are due soon can be leased.
-- Replies: ids of the runs
local due = KEYS[1]
local worker = ARGV[1]
local lease_ms = ARGV[2]

local now = now_ms()
local reclaimed = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', due, '(' .. now, now + lease_ms)) do
  local run = '{rb}:run:' .. id
  local owner, lease_until = unpack(redis.call('HMGET', run, 'owner', 'leaseUntil'))
  if owner == worker and tonumber(lease_until or '0') > now then
    redis.call('HSET', run, 'leaseUntil', 0)
    redis.call('ZADD', due, 0, id)
    reclaimed[#reclaimed + 1] = id
  end
end
return reclaimed
