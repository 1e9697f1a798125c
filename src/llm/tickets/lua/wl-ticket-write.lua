-- Writes fields of a ticket for its holder; a ticket leaves one state and enters another in the same step.
-- KEYS 1 ticket  2 index of tickets that have not ended  3 counts  4 batch (its hash; any key when it has none)  5 ticket's spend
--   6 ended tickets of the batch by slot (any key when it has none)  7 holder of its reference (any key when it has none)
--   8 signs of life of tickets that tell a stage
-- ARGV 1 holder  2 now  3 '1' = take it first, '2' = only if nobody works on it, '3' = take it for a recovery, a dead one too,
--   '4' = only if it waits for its batch, whoever holds it  4 lifetime after the end ms  5 new state or ''  6 slot  7.. field, value, ...
-- Replies 1 | 0 somebody else holds it, or it has ended | -1 no such ticket
local ticket = redis.call('HMGET', KEYS[1], 'state', 'holder', 'queue', 'budget', 'batch', 'id', 'reason', 'ref', 'stage')
if not ticket[1] then
  return -1
end
local ends = { succeeded = true, failed = true, dead = true, cancelled = true, quarantined = true }
if ends[ticket[1]] and not (ARGV[3] == '3' and ticket[1] == 'dead') then
  return 0
end
if ARGV[3] == '2' then
  if ticket[1] == 'running' then
    return 0
  end
  redis.call('HSET', KEYS[1], 'holder', ARGV[1])
elseif ARGV[3] == '4' then
  if ticket[1] ~= 'waiting' or ticket[7] ~= 'batch_draft' then
    return 0
  end
elseif ARGV[3] == '3' then
  if ticket[1] == 'dead' then
    -- It is open again: what its end had settled begins anew.
    if ticket[8] and ticket[8] ~= '' then
      local by = redis.call('GET', KEYS[7])
      if by and by ~= ticket[6] then
        return 0
      end
      redis.call('SET', KEYS[7], ticket[6])
    end
    redis.call('PERSIST', KEYS[1])
    redis.call('PERSIST', KEYS[5])
    redis.call('HDEL', KEYS[5], 'finished')
    redis.call('ZADD', KEYS[2], ARGV[2], ticket[6])
    if ticket[5] ~= '' and redis.call('HGET', KEYS[5], 'begun') then
      redis.call('HINCRBY', KEYS[4], 'begun_ended', -1)
    end
  end
  redis.call('HSET', KEYS[1], 'holder', ARGV[1])
elseif ARGV[3] == '1' then
  if ticket[1] == 'waiting' and ticket[7] == 'recovery' then
    return 0
  end
  redis.call('HSET', KEYS[1], 'holder', ARGV[1])
elseif ticket[2] ~= ARGV[1] then
  return 0
end
for index = 7, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1])
end
redis.call('HSET', KEYS[1], 'updated', ARGV[2])
local state = ARGV[5]
if state ~= '' and state ~= ticket[1] then
  redis.call('HSET', KEYS[1], 'state', state)
  redis.call('HINCRBY', KEYS[3], 'queue ' .. ticket[3] .. ' ' .. ticket[1], -1)
  redis.call('HINCRBY', KEYS[3], 'queue ' .. ticket[3] .. ' ' .. state, 1)
  redis.call('HINCRBY', KEYS[3], 'budget ' .. ticket[4] .. ' ' .. ticket[1], -1)
  redis.call('HINCRBY', KEYS[3], 'budget ' .. ticket[4] .. ' ' .. state, 1)
  if ticket[5] ~= '' then
    redis.call('HINCRBY', KEYS[4], 'n:' .. ticket[1], -1)
    redis.call('HINCRBY', KEYS[4], 'n:' .. state, 1)
    redis.call('HINCRBY', KEYS[4], 'revision', 1)
    if ends[state] then
      redis.call('HINCRBY', KEYS[6], ARGV[6], 1)
      redis.call('PEXPIRE', KEYS[6], ARGV[4])
      if redis.call('HGET', KEYS[5], 'begun') then
        redis.call('HINCRBY', KEYS[4], 'begun_ended', 1)
      end
    end
  end
  if ends[state] then
    redis.call('ZREM', KEYS[2], ticket[6])
    redis.call('PEXPIRE', KEYS[1], ARGV[4])
    -- What was not successful may be handed in again.
    if redis.call('GET', KEYS[7]) == ticket[6] then
      if state == 'succeeded' then
        redis.call('PEXPIRE', KEYS[7], ARGV[4])
      else
        redis.call('DEL', KEYS[7])
      end
    end
  end
end
-- A ticket that was lost or is being recovered shows no sign of life until it runs again.
local now = redis.call('HMGET', KEYS[1], 'state', 'reason', 'stage')
if now[1] == 'running' and now[3] and now[3] ~= '' then
  if ARGV[3] == '0' then
    redis.call('ZADD', KEYS[8], ARGV[2], ticket[6])
  end
elseif now[1] == 'waiting' and now[2] == 'recovery' then
  -- A recovery that comes to nothing leaves a ticket that stands still, whatever it was before.
  redis.call('ZADD', KEYS[8], 'NX', ARGV[2], ticket[6])
elseif now[1] ~= 'waiting' or now[2] ~= 'worker_lost' then
  redis.call('ZREM', KEYS[8], ticket[6])
end
return 1
