-- Gives a ticket's lease up. With an outcome, ends the ticket once: what it cost joins the history of its kind, and its batch reserves less.
-- KEYS 1 budget  2 expiry  3 leases  4 reserved  5 shares  6 ticket's spend  7 costs of its kind  8 batch
-- ARGV 1 now  2 lease id  3 outcome or ''  4 ticket's lifetime ms  5 share id of the batch or ''  6 length of the history
-- Replies: {} | {spent, started, attempts} when this call ended the ticket
wl_drop_lease(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], ARGV[2])
if ARGV[3] == '' then
  return {}
end
wl_settle_batch(KEYS[1], KEYS[5], KEYS[8], ARGV[5])
if redis.call('HSETNX', KEYS[6], 'finished', ARGV[3]) == 0 then
  return {}
end
redis.call('PEXPIRE', KEYS[6], ARGV[4])
local ticket = redis.call('HMGET', KEYS[6], 'spent', 'started', 'attempts')
-- A cancelled ticket's cost says nothing about what one of its kind costs.
if ARGV[3] ~= 'cancelled' then
  redis.call('LPUSH', KEYS[7], ticket[1] or '0')
  redis.call('LTRIM', KEYS[7], 0, tonumber(ARGV[6]) - 1)
end
return { ticket[1] or '0', ticket[2] or ARGV[1], ticket[3] or '1' }
