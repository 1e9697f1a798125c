-- Lists one page of the runs that are in all of these indexes, newest first.
-- Replies: per run its id, its score, its summary, its step in hand
-- ('' = as the summary says) and its state ('' = the run is no longer kept)
local indexes = { unpack(KEYS, 1) }
local since = ARGV[1]
local latest = ARGV[2]
local cursor_score = ARGV[3]
local cursor_id = ARGV[4] -- '' = the first page
local count = tonumber(ARGV[5])

local page = index_page(indexes, since, latest, cursor_score, cursor_id, count)
local reply = {}
for place = 1, #page, 2 do
  local id = page[place]
  local summary, step, state = unpack(redis.call('HMGET', '{rb}:run:' .. id, 'summary', 'step',
    'state'))
  local row = { id, page[place + 1], summary or '', step or '', state or '' }
  for _, value in ipairs(row) do
    reply[#reply + 1] = value
  end
end
return reply
