-- Reads how many tickets are in flight on each of many budgets, and their batches.
-- Replies: one {leases that have not expired, {batch id, …}} per budget
local expiries_and_batches = { unpack(KEYS, 1) } -- two keys per budget
local now = ARGV[1]

local replies = {}
for index = 1, #expiries_and_batches, 2 do
  local expiry, batches = expiries_and_batches[index], expiries_and_batches[index + 1]
  replies[#replies + 1] = {
    redis.call('ZCOUNT', expiry, '(' .. now, '+inf'),
    redis.call('SMEMBERS', batches),
  }
end
return replies
