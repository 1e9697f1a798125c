-- Prelude: returns the JSON of the freeze that blocks an effect or a start, or nil.
-- `query` is '' for what no freeze blocks, else JSON {scopes, undo}.
-- A freeze that permits undo does not block an undo.
local function blocking_freeze(freezes, query)
  if query == '' or redis.call('EXISTS', freezes) == 0 then
    return nil
  end
  local asked = cjson.decode(query)
  for _, scope in ipairs(asked.scopes) do
    local freeze = redis.call('HGET', freezes, scope)
    if freeze and not (asked.undo and cjson.decode(freeze).undo) then
      return freeze
    end
  end
  return nil
end
