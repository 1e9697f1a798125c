-- Records decisions about alerts, bounded by count and age. One that repeats the last decision
-- about the same alert and runbook is counted instead of kept again.
-- Replies: 1
local entries = KEYS[1]
local repeats = KEYS[2]
local last = KEYS[3]
local decisions = KEYS[4]
local max_entries = tonumber(ARGV[1])
local max_per_class = tonumber(ARGV[2])
local retention_ms = tonumber(ARGV[3])
local now = tonumber(ARGV[4])
local counts_repeats = ARGV[5] == '1'
local rows = { unpack(ARGV, 6) } -- six per decision

-- A row: id, time, hash of alert and runbook, hash of what a repetition has in common, keys of its
-- indexes joined by blanks (that of its class first), JSON.

-- The first line of an entry: alert, repetition, keys of indexes.
local function parts_of(id)
  return string.match(redis.call('HGET', entries, id) or '', '^(%S+) (%S+) ([^\n]*)\n')
end

local function remove(id)
  local alert, _, indexes = parts_of(id)
  redis.call('ZREM', decisions, id)
  for index in string.gmatch(indexes or '', '%S+') do
    redis.call('ZREM', index, id)
  end
  redis.call('HDEL', entries, id)
  redis.call('HDEL', repeats, id)
  if alert and redis.call('HGET', last, alert) == id then
    redis.call('HDEL', last, alert)
  end
end

for row = 1, #rows, 6 do
  local id, at, alert, repetition, indexes, json = unpack(rows, row, row + 5)
  local previous = redis.call('HGET', last, alert)
  local _, previous_repetition = parts_of(previous or '')
  if previous_repetition == repetition then
    if counts_repeats then
      local count = string.match(redis.call('HGET', repeats, previous) or '1 ', '^%d+')
      redis.call('HSET', repeats, previous, string.format('%d %s', count + 1, at))
    end
  else
    redis.call('HSET', entries, id, alert .. ' ' .. repetition .. ' ' .. indexes .. '\n' .. json)
    redis.call('HSET', last, alert, id)
    redis.call('ZADD', decisions, at, id)
    for index in string.gmatch(indexes, '%S+') do
      redis.call('ZADD', index, at, id)
    end
    local class = string.match(indexes, '^%S+')
    if redis.call('ZCARD', class) > max_per_class then
      remove(redis.call('ZRANGE', class, 0, 0)[1])
    end
  end
end
-- In portions, so that no call takes long; those that are too old are not listed meanwhile.
local too_old = string.format('%.0f', now - retention_ms)
for _, id in ipairs(redis.call('ZRANGEBYSCORE', decisions, '-inf', '(' .. too_old, 'LIMIT', 0,
  500)) do
  remove(id)
end
local excess = redis.call('ZCARD', decisions) - max_entries
if excess > 0 then
  for _, id in ipairs(redis.call('ZRANGE', decisions, 0, math.min(excess, 500) - 1)) do
    remove(id)
  end
end
return 1
