-- Takes runs that are due, oldest first. They are due again after a while, unless somebody claims
-- them; so two workers that sweep at the same time do not claim the same runs.
-- Replies: ids of the runs
local due = KEYS[1]
local count = tonumber(ARGV[1])
local hold_ms = ARGV[2]

local now = now_ms()
local ids = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, math.min(count, 1000))
local places = {}
for _, id in ipairs(ids) do
  places[#places + 1] = now + hold_ms
  places[#places + 1] = id
end
if #places > 0 then
  redis.call('ZADD', due, unpack(places))
end
return ids
