-- Makes a draft run and reserves what it will probably cost at most, if its budget has room for that.
-- KEYS 1 budget  2 expiry  3 leases  4 reserved  5 shares  6 batch  7 active batches
-- ARGV 1 now  2 share id  3 tickets  4 amount  5 amount per ticket, rounded up  6 median of the whole
-- Replies {'submitted'} | {'joined'} it was submitted before | {'missing'} | {'no_budget'} | {'not_draft', state} | {'changed', tickets}
--   | {'refused', spent, committed, limit}
local batch = redis.call('HMGET', KEYS[6], 'state', 'sealed', 'n:waiting', 'id')
if not batch[1] then
  return { 'missing' }
end
if batch[1] ~= 'draft' then
  return batch[2] and batch[1] ~= 'cancelled' and { 'joined' } or { 'not_draft', batch[1] }
end
if (batch[3] or '0') ~= ARGV[3] then
  return { 'changed', batch[3] or '0' }
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  return { 'no_budget' }
end
wl_tidy(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], tonumber(ARGV[1]))
local budget = redis.call('HMGET', KEYS[1], 'spent', 'committed', 'limit')
if tonumber(budget[1]) + tonumber(budget[2]) + tonumber(ARGV[4]) > tonumber(budget[3]) then
  return { 'refused', budget[1], budget[2], budget[3] }
end
wl_commit(KEYS[1], tonumber(ARGV[4]))
redis.call('HSET', KEYS[5], 'left ' .. ARGV[2], ARGV[4])
redis.call('HSET', KEYS[6], 'state', 'open', 'sealed', '1', 'size', ARGV[3], 'p90', ARGV[4], 'p50', ARGV[6], 'per_ticket', ARGV[5], 'submitted', ARGV[1])
redis.call('HINCRBY', KEYS[6], 'version', 1)
redis.call('HINCRBY', KEYS[6], 'revision', 1)
redis.call('SADD', KEYS[7], batch[4])
return { 'submitted' }
