-- Prelude: one page of what is in all of these sorted sets, newest first: id and score in turn.
-- Scores are times in ms; one of several sets may be without scores. The cursor is the last item of
-- the page before; id '' = the first page.
local function index_page(indexes, since, latest, cursor_score, cursor_id, count)
  local page = {}
  if #indexes == 1 then
    local rank = cursor_id ~= '' and redis.call('ZREVRANK', indexes[1], cursor_id)
    local rows
    if rank then
      rows = redis.call('ZREVRANGE', indexes[1], rank + 1, rank + count, 'WITHSCORES')
    else
      -- The item of the cursor is no longer kept.
      local newest = cursor_id == '' and latest or '(' .. cursor_score
      rows = redis.call('ZREVRANGEBYSCORE', indexes[1], newest, since, 'WITHSCORES', 'LIMIT', 0,
        count)
    end
    for place = 1, #rows, 2 do
      if tonumber(rows[place + 1]) < tonumber(since) then
        break
      end
      page[place], page[place + 1] = rows[place], rows[place + 1]
    end
    return page
  end
  local arguments = { #indexes }
  for _, index in ipairs(indexes) do
    arguments[#arguments + 1] = index
  end
  for _, option in ipairs({ 'AGGREGATE', 'MAX', 'WITHSCORES' }) do
    arguments[#arguments + 1] = option
  end
  local rows = redis.call('ZINTER', unpack(arguments))
  for place = #rows - 1, 1, -2 do
    local id, score = rows[place], rows[place + 1]
    local time = tonumber(score)
    if #page == 2 * count or time < tonumber(since) then
      break
    end
    local is_after = cursor_id == '' or time < tonumber(cursor_score)
      or (time == tonumber(cursor_score) and id < cursor_id)
    if is_after and time <= tonumber(latest) then
      page[#page + 1] = id
      page[#page + 1] = score
    end
  end
  return page
end
