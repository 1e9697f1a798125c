-- Deletes ended findings, except those that have changed since they were read.
-- Replies: count of the deleted
local ended_index = KEYS[1]
local findings = { unpack(KEYS, 2) }
local members = { unpack(ARGV, 1) } -- of the findings in the index, as they were read

local deleted = 0
for index, finding in ipairs(findings) do
  if redis.call('ZREM', ended_index, members[index]) == 1 then
    redis.call('DEL', finding, finding .. ':history')
    deleted = deleted + 1
  end
end
return deleted
