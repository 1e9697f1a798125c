-- Replaces the holder of a worker's name, renews its lease, or frees the name.
-- Replies: 1 = done | 0 = another process holds the name
local slot = KEYS[1]
local expected = ARGV[1] -- the holder as it was read
local holder = ARGV[2] -- the new one; a holder that renews puts back a name that Redis has lost
local lease_ms = ARGV[3] -- '0' = free it

local current = redis.call('GET', slot)
if current ~= expected and not (current == false and expected == holder) then
  return 0
end
if lease_ms == '0' then
  redis.call('DEL', slot)
else
  redis.call('SET', slot, holder, 'PX', lease_ms)
end
return 1
