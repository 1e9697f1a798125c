-- Prelude: the freeze that holds this back, as stored, or nil. `asked` is '' or JSON {scopes, undo}; an undo passes a freeze that permits it.
local function standing_freeze(key, asked)
  if asked == '' or redis.call('EXISTS', key) == 0 then return nil end
  local query = cjson.decode(asked)
  for _, scope in ipairs(query.scopes) do
    local text = redis.call('HGET', key, scope)
    if text and not (query.undo and cjson.decode(text).undo) then return text end
  end
  return nil
end
