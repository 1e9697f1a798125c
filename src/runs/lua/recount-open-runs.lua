-- Counts the open runs of each runbook anew. Reads every open run, about a millisecond for each
-- thousand of them, so it is for repairs.
-- Replies: 1 = the counts were wrong | 0 = they were right
local open_runs = KEYS[1]
local open_counts = KEYS[2]

local counted = {}
for _, id in ipairs(redis.call('SMEMBERS', open_runs)) do
  local runbook_id = redis.call('HGET', '{rb}:run:' .. id, 'runbook')
  if runbook_id then
    counted[runbook_id] = (counted[runbook_id] or 0) + 1
  end
end
local is_wrong = false
local stored = redis.call('HGETALL', open_counts)
for place = 1, #stored, 2 do
  if counted[stored[place]] ~= tonumber(stored[place + 1]) then
    is_wrong = true
  end
end
for runbook_id, count in pairs(counted) do
  if redis.call('HGET', open_counts, runbook_id) ~= tostring(count) then
    is_wrong = true
  end
end
if not is_wrong then
  return 0
end
redis.call('DEL', open_counts)
for runbook_id, count in pairs(counted) do
  redis.call('HSET', open_counts, runbook_id, count)
end
return 1
