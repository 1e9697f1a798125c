-- Counts tickets as failed whose exposure is older than the deadline.
-- Replies: count of tickets that it ended
local rollout = KEYS[1]
local now = ARGV[1]
local max_tickets = ARGV[2]

local deadline_ms = redis.call('HGET', rollout, 'deadline_ms')
if not deadline_ms then
  return 0
end
local tickets = rollout_tickets()
local overdue = redis.call('ZRANGEBYSCORE', rollout .. ':deadlines', '-inf',
  '(' .. string.format('%.0f', now - deadline_ms), 'LIMIT', 0, max_tickets)
for _, ticket in ipairs(overdue) do
  local entry = tickets.read(rollout, ticket)
  tickets.finish(rollout, ticket, entry, 'overdue', now)
end
return #overdue
