-- Prelude: takes claims all or none. A lock key holds the id of the run that has it; a bucket counts against a maximum in a window of Redis time;
-- a log keeps its newest fifty entries and refuses nothing.
-- `argv` from `at` on holds, for each of `count` claims whose keys begin at `keys[first]`: type, max, windowMs (of a log: how long it is kept), amount (of a log: the entry).
-- Returns nil when all are taken, else {index (0-based), holder, retryAfterMs}.
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

local function take_claims(keys, first, argv, at, count, owner, owned)
  for i = 0, count - 1 do
    local key, kind = keys[first + i], argv[at + i * 4]
    if kind == 'lock' then
      local holder = redis.call('GET', key)
      if holder and holder ~= owner then return { i, holder, 0 } end
    elseif kind == 'bucket' then
      local used = tonumber(redis.call('GET', key) or '0')
      if used + tonumber(argv[at + i * 4 + 3]) > tonumber(argv[at + i * 4 + 1]) then return { i, '', redis.call('PTTL', key) } end
    end
  end
  for i = 0, count - 1 do
    local key = keys[first + i]
    if argv[at + i * 4] == 'lock' then
      -- What this run holds already needs no writing.
      if redis.call('SET', key, owner, 'NX') then redis.call('SADD', owned, key) end
    elseif argv[at + i * 4] == 'log' then
      redis.call('RPUSH', key, argv[at + i * 4 + 3])
      redis.call('LTRIM', key, -50, -1)
      redis.call('PEXPIRE', key, argv[at + i * 4 + 2])
    else
      redis.call('INCRBY', key, argv[at + i * 4 + 3])
      if redis.call('PTTL', key) < 0 then redis.call('PEXPIRE', key, argv[at + i * 4 + 2]) end
    end
  end
  return nil
end
