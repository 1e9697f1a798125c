-- Lists one page of the decisions that are in all of these indexes, newest first.
-- Replies: per decision its id, its score, its entry and its repeats ('' = it was not repeated)
local entries = KEYS[1]
local repeats = KEYS[2]
local indexes = { unpack(KEYS, 3) }
local since = ARGV[1]
local latest = ARGV[2]
local cursor_score = ARGV[3]
local cursor_id = ARGV[4] -- '' = the first page
local count = tonumber(ARGV[5])

local page = index_page(indexes, since, latest, cursor_score, cursor_id, count)
local reply = {}
for place = 1, #page, 2 do
  local id = page[place]
  local entry = redis.call('HGET', entries, id)
  if entry then
    for _, value in ipairs({ id, page[place + 1], entry, redis.call('HGET', repeats, id) or '' }) do
      reply[#reply + 1] = value
    end
  end
end
return reply
