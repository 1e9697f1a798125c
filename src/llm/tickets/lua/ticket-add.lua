-- Adds a ticket unless its id exists. It is queued at once; a ticket of a draft batch waits until
-- its batch queues it.
-- Replies: {'added'} | {'known'} = the same ticket exists | {'differs'} = another with this id
--   | {'taken', id of the ticket with this reference}
--   | {'sealed'} = the batch takes no more tickets
local ticket = KEYS[1]
local tickets = KEYS[2]
local counts = KEYS[3]
local batch = KEYS[4] -- any key if the ticket has no batch
local batch_tickets = KEYS[5]
local budget_queues = KEYS[6]
local budget_batches = KEYS[7]
local open_tickets = KEYS[8] -- of its queue, like the next
local unqueued_tickets = KEYS[9]
local reference_holder = KEYS[10] -- any key if the ticket has no reference
local budget = KEYS[11]
local id = ARGV[1]
local now = tonumber(ARGV[2])
local budget_id = ARGV[3]
local queue = ARGV[4]
local batch_id = ARGV[5] -- '' = no batch
local definition = ARGV[6] -- JSON of what never changes
local estimate = ARGV[7]
local retention_ms = tonumber(ARGV[8]) -- after the ticket's end
local hash = ARGV[9] -- of everything that was handed in
local kind = ARGV[10]
local reference = ARGV[11] -- '' = none

local existing_id, existing_hash = unpack(redis.call('HMGET', ticket, 'id', 'hash'))
if existing_id then
  return { existing_hash == hash and 'known' or 'differs' }
end
local sealed, batch_state = unpack(redis.call('HMGET', batch, 'sealed', 'state'))
if batch_id ~= '' and (sealed or batch_state == 'cancelled') then
  return { 'sealed' }
end
if reference ~= '' then
  local holder = redis.call('GET', reference_holder)
  if holder and holder ~= id then
    return { 'taken', holder }
  end
  redis.call('SET', reference_holder, id)
end
local is_draft = batch_state == 'draft'
local state = is_draft and 'waiting' or 'queued'
redis.call('HSET', ticket, 'id', id, 'hash', hash, 'definition', definition, 'budget', budget_id,
  'queue', queue, 'batch', batch_id, 'state', state, 'reason', is_draft and 'batch_draft' or '',
  'attempt', '1', 'turn', '0', 'saved', 'null', 'estimate', estimate, 'created', now,
  'updated', now, 'holder', '', 'kind', kind, 'external_ref', reference, 'stage', '',
  'failures', '[]')
redis.call('ZADD', tickets, now, id)
if not is_draft then
  redis.call('ZADD', open_tickets, now, id)
  redis.call('ZADD', unqueued_tickets, now, id)
end
redis.call('ZREMRANGEBYSCORE', tickets, '-inf', now - retention_ms)
redis.call('HINCRBY', counts, 'queue ' .. queue .. ' ' .. state, 1)
redis.call('HINCRBY', counts, 'budget ' .. budget_id .. ' ' .. state, 1)
add_queue(budget, budget_queues, queue)
if batch_id ~= '' then
  redis.call('HINCRBY', batch, 'tickets:' .. state, 1)
  redis.call('HINCRBY', batch, 'kind:' .. kind, 1)
  redis.call('HINCRBY', batch, 'revision', 1)
  redis.call('ZADD', batch_tickets, now, id)
  redis.call('SADD', budget_batches, batch_id)
end
return { 'added' }
