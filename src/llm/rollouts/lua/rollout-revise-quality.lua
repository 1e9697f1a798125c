-- Revises the quality of an ended ticket in every rollout that counted it.
-- Replies: {'revised' | 'unchanged', count of rollouts} | {'too_late'} | {'not_ended'} |
--   {'unknown_ticket'}
local rollouts = { unpack(KEYS, 1) }
local ticket = ARGV[1]
local quality = tonumber(ARGV[2]) -- in millionths
local now = ARGV[3]

local tickets = rollout_tickets()
local revised, unchanged, late, open = 0, 0, 0, 0
for _, rollout in ipairs(rollouts) do
  local entry = tickets.read(rollout, ticket)
  local lag_ms = redis.call('HGET', rollout, 'lag_ms')
  if entry and entry.state == 'open' then
    open = open + 1
  elseif entry and (entry.state == 'succeeded' or entry.state == 'failed') then
    if now - entry.at > tonumber(lag_ms) then
      late = late + 1
    elseif entry.quality == quality then
      unchanged = unchanged + 1
    else
      tickets.set_outcome(rollout, entry, quality, entry.cost, entry.unpriced)
      tickets.write(rollout, ticket, entry)
      revised = revised + 1
    end
  elseif entry and entry.state == 'overdue' then
    late = late + 1
  end
end
if revised > 0 then
  return { 'revised', revised }
elseif unchanged > 0 then
  return { 'unchanged', unchanged }
elseif late > 0 then
  return { 'too_late' }
elseif open > 0 then
  return { 'not_ended' }
end
return { 'unknown_ticket' }
