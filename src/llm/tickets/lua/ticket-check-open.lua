-- Brings the open tickets of a queue up to date with one ticket, which an older version may have
-- kept in its own index.
-- Replies: 1 = the ticket is open | 0 = it has ended, or there is none
local ticket = KEYS[1]
local open_tickets = KEYS[2] -- of its queue
local old_open_tickets = KEYS[3]
local id = ARGV[1]

local state, created = unpack(redis.call('HMGET', ticket, 'state', 'created'))
redis.call('ZREM', old_open_tickets, id)
if not state or is_end[state] then
  redis.call('ZREM', open_tickets, id)
  return 0
end
redis.call('ZADD', open_tickets, 'NX', created, id)
return 1
