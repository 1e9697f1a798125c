-- Makes an admission true, if what it was decided on still holds: reserves the estimate under the ticket's one lease.
-- KEYS 1 budget  2 expiry  3 leases  4 reserved  5 minute  6 ticket's spend  7 batch  8 log  9 queues  10 batches  11 shares
-- ARGV 1 now  2 lease id  3 lease JSON  4 controls version  5 definition version  6 limit  7 estimate  8 concurrency or ''  9 rate or ''
--   10 lease expiry  11 budget id  12 ticket id  13 attempt  14 minute's lifetime ms  15 ticket's lifetime ms  16 queue  17 batch id or ''  18 log length
--   19 share id of the batch or ''  20 batch's concurrency or ''  21 its rate or ''  22 the minute  23 its limit of cost or ''
--   24 size of its leading group, '' when that is over  25 '1' = the leading group has proven itself
-- Replies: 'admitted' | 'changed' (read the facts and decide again)
local now = tonumber(ARGV[1])
local lease = ARGV[2]
wl_tidy(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[11], now)
local state = redis.call('HMGET', KEYS[1], 'version', 'definition_version', 'spent', 'committed')
if state[1] ~= ARGV[4] or state[2] ~= ARGV[5] then
  return 'changed'
end
local starts = redis.call('ZSCORE', KEYS[2], lease) == false
local own = tonumber(redis.call('HGET', KEYS[4], lease) or '0')
local estimate = tonumber(ARGV[7])
local share = ARGV[19]
local left = share == '' and 0 or tonumber(redis.call('HGET', KEYS[11], 'left ' .. share) or '0')
if tonumber(state[3]) + tonumber(state[4]) - own + estimate - math.min(left, math.max(0, estimate - own)) > tonumber(ARGV[6]) then
  return 'changed'
end
if starts and ARGV[8] ~= '' and redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[8]) then
  return 'changed'
end
if starts and ARGV[9] ~= '' and tonumber(redis.call('HGET', KEYS[5], 'started') or '0') >= tonumber(ARGV[9]) then
  return 'changed'
end
if redis.call('HGET', KEYS[6], 'cancelled') then
  return 'changed'
end
local begins = redis.call('HGET', KEYS[6], 'begun') == false
if share ~= '' then
  local batch = redis.call('HMGET', KEYS[7], 'gate', 'state', 'spent', 'minute', 'minute_started', 'begun', 'begun_ended', 'n:succeeded', 'n:failed', 'n:dead',
    'n:quarantined')
  for index = 5, 11 do
    batch[index] = tonumber(batch[index] or '0')
  end
  if batch[1] == 'paused' or batch[2] == 'draft' or batch[2] == 'cancelled' then
    return 'changed'
  end
  if ARGV[23] ~= '' then
    local inflight = tonumber(redis.call('HGET', KEYS[11], 'amount ' .. share) or '0')
    if tonumber(batch[3] or '0') + math.max(0, inflight - own) + estimate > tonumber(ARGV[23]) then
      return 'changed'
    end
  end
  if starts and ARGV[20] ~= '' and tonumber(redis.call('HGET', KEYS[11], 'count ' .. share) or '0') >= tonumber(ARGV[20]) then
    return 'changed'
  end
  local started = batch[4] == ARGV[22] and batch[5] or 0
  if starts and ARGV[21] ~= '' and started >= tonumber(ARGV[21]) then
    return 'changed'
  end
  if starts and begins and ARGV[24] ~= '' and batch[8] + batch[9] + batch[10] + batch[11] + batch[6] - batch[7] >= tonumber(ARGV[24]) then
    return 'changed'
  end
  if starts then
    redis.call('HSET', KEYS[11], 'lease ' .. lease, share)
    redis.call('HINCRBY', KEYS[11], 'count ' .. share, 1)
    redis.call('HSET', KEYS[7], 'minute', ARGV[22], 'minute_started', started + 1)
    if begins then
      redis.call('HINCRBY', KEYS[7], 'begun', 1)
      if ARGV[25] == '1' then
        redis.call('HSET', KEYS[7], 'led', '1')
      end
    end
  end
end

redis.call('HSET', KEYS[6], 'begun', '1')
wl_move(KEYS[1], KEYS[11], share, estimate - own)
redis.call('HSET', KEYS[4], lease, ARGV[7])
redis.call('HSET', KEYS[3], lease, ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[10], lease)
if starts then
  redis.call('HINCRBY', KEYS[5], 'started', 1)
  redis.call('PEXPIRE', KEYS[5], ARGV[14])
end
redis.call('HSETNX', KEYS[6], 'started', ARGV[1])
if tonumber(redis.call('HGET', KEYS[6], 'attempts') or '0') < tonumber(ARGV[13]) then
  redis.call('HSET', KEYS[6], 'attempts', ARGV[13])
end
redis.call('PEXPIRE', KEYS[6], ARGV[15])
redis.call('SADD', KEYS[9], ARGV[16])
if ARGV[17] ~= '' then
  redis.call('SADD', KEYS[10], ARGV[17])
end
redis.call('XADD', KEYS[8], 'MAXLEN', '~', ARGV[18], '*', 'kind', 'admitted', 'at', ARGV[1], 'budget', ARGV[11], 'ticket', ARGV[12], 'starts', starts and '1' or '0')
return 'admitted'
