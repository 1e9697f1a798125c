-- Stores what a source reports of a finding, unless a newer report is there.
-- A report with other content than the stored one drops the verdict.
-- Replies: {'created' | 'updated' | 'unchanged' | 'older', fields of the finding ...} | {'full'}
local finding = KEYS[1]
local history = KEYS[2]
local open_index = KEYS[3]
local ended_index = KEYS[4]
local counts = KEYS[5]
local now = ARGV[1] -- UTC ms
local updated = ARGV[2] -- UTC ms of the source's last change, 15 digits
local ended = ARGV[3] -- UTC ms, 15 digits: place of the finding if it ends now
local content = ARGV[4] -- hash
local report = ARGV[5] -- JSON
local state = ARGV[6]
local label = ARGV[7] -- ' <id> <feature> <source> <state>', of an open finding ' contain' too
local rank = ARGV[8] -- of the class until the finding is judged
local count = ARGV[9] -- '<class> <feature> <source>'
local max_open = tonumber(ARGV[10])
local max_events = ARGV[11]

local stored_updated, stored_content, stored_state, stored_member, stored_count =
  unpack(redis.call('HMGET', finding, 'updated', 'content', 'state', 'member', 'count'))

local function reply(kind)
  local fields = redis.call('HGETALL', finding)
  table.insert(fields, 1, kind)
  return fields
end
local function record(event)
  redis.call('RPUSH', history, now .. ' ' .. event)
  redis.call('LTRIM', history, -max_events, -1)
end

if stored_updated and updated < stored_updated then
  return reply('older')
end
if not stored_updated and state == 'open' and redis.call('ZCARD', open_index) >= max_open then
  return { 'full' }
end
if stored_content == content then
  if updated ~= stored_updated then
    redis.call('HSET', finding, 'updated', updated)
    if state == 'open' then
      -- The same content: the place says what the verdict says.
      local member = string.sub(stored_member, 1, 1) .. updated .. string.sub(stored_member, 17)
      redis.call('ZREM', open_index, stored_member)
      redis.call('ZADD', open_index, 0, member)
      redis.call('HSET', finding, 'member', member)
    end
  end
  return reply('unchanged')
end

if stored_state == 'open' then
  redis.call('ZREM', open_index, stored_member)
  if redis.call('HINCRBY', counts, stored_count, -1) <= 0 then
    redis.call('HDEL', counts, stored_count)
  end
elseif stored_state then
  redis.call('ZREM', ended_index, stored_member)
end
local member = '0' .. ended .. label
if state == 'open' then
  member = rank .. updated .. label
  redis.call('ZADD', open_index, 0, member)
  redis.call('HINCRBY', counts, count, 1)
else
  redis.call('ZADD', ended_index, 0, member)
end
redis.call('HSET', finding, 'report', report, 'content', content, 'updated', updated,
  'state', state, 'member', member, 'count', count, 'verdict', '')
redis.call('HSETNX', finding, 'first_seen', now)

if not stored_updated then
  record('created ' .. state)
  return reply('created')
end
if stored_state ~= state then
  record('state ' .. state)
else
  record('changed ')
end
return reply('updated')
