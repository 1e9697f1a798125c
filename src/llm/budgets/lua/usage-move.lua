-- Moves usage events that an older version wrote into a stream in the order of receipt.
-- Replies: how many were moved; 0 = the stream is gone
local stream = KEYS[1]
local events = KEYS[2]
local kept = KEYS[3]
local limit = ARGV[1]

local entries = redis.call('XRANGE', stream, '-', '+', 'COUNT', limit)
if #entries == 0 then
  redis.call('DEL', stream)
  redis.call('HDEL', kept, 'moving')
  return 0
end
local first = cjson.decode(entries[1][2][2])
if redis.call('HSETNX', kept, 'moving', '1') == 1 then
  -- What that version had trimmed was received before the first entry. Before 7.0 Redis does not
  -- say whether it ever trimmed.
  local info = redis.call('XINFO', 'STREAM', stream)
  local values = {}
  for index = 1, #info, 2 do
    values[info[index]] = info[index + 1]
  end
  if not values['entries-added'] or values['entries-added'] > values['length'] then
    event_dropped(kept, first.at)
  end
end
for _, entry in ipairs(entries) do
  local event = entry[2][2]
  redis.call('XDEL', stream, entry[1])
  keep_event(events, kept, string.format('%.0f', cjson.decode(event).at), event)
end
return #entries
