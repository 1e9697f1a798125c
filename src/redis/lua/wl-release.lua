-- Gives a ticket's lease up. With an outcome, ends the ticket once.
-- KEYS 1 budget  2 expiry  3 leases  4 reserved  5 ticket's spend
-- ARGV 1 now  2 lease id  3 outcome or ''  4 ticket's lifetime ms
-- Replies: {} | {spent, started, attempts} when this call ended the ticket
wl_drop_lease(KEYS[1], KEYS[2], KEYS[3], KEYS[4], ARGV[2])
if ARGV[3] == '' or redis.call('HSETNX', KEYS[5], 'finished', ARGV[3]) == 0 then
  return {}
end
redis.call('PEXPIRE', KEYS[5], ARGV[4])
local ticket = redis.call('HMGET', KEYS[5], 'spent', 'started', 'attempts')
return { ticket[1] or '0', ticket[2] or ARGV[1], ticket[3] or '1' }
