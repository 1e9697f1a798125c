-- Adds a ticket in state queued, unless there is one of this id. A ticket of a draft waits, and enters the index of open tickets when its batch feeds it.
-- KEYS 1 ticket  2 index  3 counts  4 batch (its hash)  5 batch's tickets  6 budget's queues  7 budget's batches  8 index of tickets that have not ended
--   9 holder of its reference (any key when it has none)
-- ARGV 1 id  2 now  3 budget  4 queue  5 batch id or ''  6 fixed part JSON  7 estimate  8 lifetime after the end ms  9 hash of all that was handed in
--   10 kind  11 reference or ''
-- Replies {'added'} | {'known'} the same is there | {'differs'} another is there | {'taken', id of who holds the reference} | {'sealed'} the batch takes no more
local there = redis.call('HMGET', KEYS[1], 'id', 'sha')
if there[1] then
  -- What an older version stored has no hash.
  return { (not there[2] or there[2] == ARGV[9]) and 'known' or 'differs' }
end
local batch = redis.call('HMGET', KEYS[4], 'sealed', 'state')
if ARGV[5] ~= '' and (batch[1] or batch[2] == 'cancelled') then
  return { 'sealed' }
end
if ARGV[11] ~= '' then
  local holder = redis.call('GET', KEYS[9])
  if holder and holder ~= ARGV[1] then
    return { 'taken', holder }
  end
  redis.call('SET', KEYS[9], ARGV[1])
end
local draft = batch[2] == 'draft'
local state = draft and 'waiting' or 'queued'
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'sha', ARGV[9], 'fixed', ARGV[6], 'budget', ARGV[3], 'queue', ARGV[4], 'batch', ARGV[5], 'state', state, 'reason',
  draft and 'batch_draft' or '', 'attempt', '1', 'turn', '0', 'saved', 'null', 'estimate', ARGV[7], 'created', ARGV[2], 'updated', ARGV[2], 'holder', '', 'kind',
  ARGV[10], 'ref', ARGV[11], 'stage', '', 'failures', '[]')
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
if not draft then
  redis.call('ZADD', KEYS[8], ARGV[2], ARGV[1])
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', tonumber(ARGV[2]) - tonumber(ARGV[8]))
redis.call('HINCRBY', KEYS[3], 'queue ' .. ARGV[4] .. ' ' .. state, 1)
redis.call('HINCRBY', KEYS[3], 'budget ' .. ARGV[3] .. ' ' .. state, 1)
redis.call('SADD', KEYS[6], ARGV[4])
if ARGV[5] ~= '' then
  redis.call('HINCRBY', KEYS[4], 'n:' .. state, 1)
  redis.call('HINCRBY', KEYS[4], 'k:' .. ARGV[10], 1)
  redis.call('HINCRBY', KEYS[4], 'revision', 1)
  redis.call('ZADD', KEYS[5], ARGV[2], ARGV[1])
  redis.call('SADD', KEYS[7], ARGV[5])
end
return { 'added' }
