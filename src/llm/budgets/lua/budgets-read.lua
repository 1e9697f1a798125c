-- Reads the same fields of many budgets.
-- Replies: one list of values per budget, a missing value is false
local budgets = { unpack(KEYS, 1) }
local fields = { unpack(ARGV, 1) }

local replies = {}
for index, budget in ipairs(budgets) do
  replies[index] = redis.call('HMGET', budget, unpack(fields))
end
return replies
