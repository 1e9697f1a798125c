-- Prelude: usage events by the time at which their request ended, UTC in ms.
-- `events` is a sorted set with that time as the score; a member is '<order> <event JSON>'.
-- The order is a letter for the number of digits and a number, 'a7' before 'b10': it makes equal
-- events different members, and those of the same time ascend as they were added, so that an event
-- comes before the one that takes its place. `kept` holds
--   'added' = events that were ever added, 'bytes' = what the members take, and
--   'dropped_to' = the latest time of an event that was dropped; nothing later is missing.

-- What Redis needs for a member besides its text, about.
local member_overhead_bytes = 100
-- Events that one call drops: more than come in, so that a lowered limit is reached.
local max_dropped = 20

local function event_dropped(kept, at)
  local dropped_to = tonumber(redis.call('HGET', kept, 'dropped_to') or '-1')
  if at > dropped_to then
    redis.call('HSET', kept, 'dropped_to', string.format('%.0f', at))
  end
end

-- Adds an event. Returns the bytes that all members take.
local function keep_event(events, kept, at, event)
  local number = string.format('%.0f', redis.call('HINCRBY', kept, 'added', 1))
  local member = string.char(96 + #number) .. number .. ' ' .. event
  redis.call('ZADD', events, at, member)
  return redis.call('HINCRBY', kept, 'bytes', #member + member_overhead_bytes)
end

-- Drops the earliest events while they are too old or too many; an idle store drops all of them.
local function limit_events(events, kept, bytes, now, retention_ms, max_bytes)
  local earliest = tonumber(now) - tonumber(retention_ms)
  local freed = 0
  local dropped_to
  for _ = 1, max_dropped do
    local first = redis.call('ZRANGE', events, 0, 0, 'WITHSCORES')
    local is_over = bytes - freed > tonumber(max_bytes)
    if #first == 0 or (not is_over and tonumber(first[2]) >= earliest) then
      break
    end
    redis.call('ZREM', events, first[1])
    freed = freed + #first[1] + member_overhead_bytes
    dropped_to = tonumber(first[2])
  end
  if dropped_to then
    redis.call('HINCRBY', kept, 'bytes', -freed)
    event_dropped(kept, dropped_to)
  end
  redis.call('PEXPIRE', events, retention_ms)
  redis.call('PEXPIRE', kept, retention_ms)
end
