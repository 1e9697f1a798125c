-- Creates a budget or redefines its limit and period. Controls, spend and leases stay.
-- KEYS 1 budgets  2 budget  3 expiry  4 leases  5 reserved  6 shares
-- ARGV 1 now  2 id  3 definition JSON  4 limit  5 period ms  6 start of the current period  7 first controls JSON
wl_tidy(KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], tonumber(ARGV[1]))
redis.call('SADD', KEYS[1], ARGV[2])
redis.call('HSETNX', KEYS[2], 'controls', ARGV[7])
redis.call('HSETNX', KEYS[2], 'version', '1')
redis.call('HSETNX', KEYS[2], 'spent', '0')
redis.call('HSETNX', KEYS[2], 'committed', '0')
redis.call('HSET', KEYS[2], 'definition', ARGV[3], 'limit', ARGV[4], 'period_ms', ARGV[5], 'period_start', ARGV[6])
redis.call('HINCRBY', KEYS[2], 'definition_version', 1)
return 1
