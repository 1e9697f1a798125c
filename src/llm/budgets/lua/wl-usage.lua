-- Counts one usage event, once: settles the ticket's lease, adds to the spend of period, minute, ticket, batch and row, and keeps the event.
-- KEYS 1 seen  2 budget  3 expiry  4 leases  5 reserved  6 minute  7 ticket's spend  8 batch  9 rows  10 row tickets  11 stream  12 shares
-- ARGV 1 now  2 lifetime of `seen` ms  3 lease id  4 lease expiry  5 cost  6 row  7 row for overflow  8 most rows  9 input tokens  10 output tokens
--   11 unpriced tokens  12 row ticket and attempt  13 the same under overflow  14 event JSON  15 stream length  16 rows' lifetime ms  17 minute's lifetime ms
--   18 ticket's lifetime ms  19 attempt  20 share id of the batch or ''  21 '1' = the provider answered 429
-- Replies: 'accepted' | 'duplicate' | 'unknown_budget'
if redis.call('EXISTS', KEYS[2]) == 0 then
  return 'unknown_budget'
end
if not redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[2]) then
  return 'duplicate'
end
local now = tonumber(ARGV[1])
local lease = ARGV[3]
local cost = tonumber(ARGV[5])
wl_tidy(KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[12], now)

-- What was reserved is spent now: by the lease first, then by the batch.
local settled = 0
if redis.call('ZSCORE', KEYS[3], lease) then
  local own = tonumber(redis.call('HGET', KEYS[5], lease) or '0')
  settled = math.min(own, cost)
  if settled > 0 then
    wl_commit(KEYS[2], -settled)
    redis.call('HSET', KEYS[5], lease, wl_integer(own - settled))
    local share = redis.call('HGET', KEYS[12], 'lease ' .. lease)
    if share then
      redis.call('HINCRBY', KEYS[12], 'amount ' .. share, wl_integer(-settled))
    end
  end
  redis.call('ZADD', KEYS[3], 'XX', ARGV[4], lease)
end
wl_shrink(KEYS[2], KEYS[12], ARGV[20], cost - settled)

redis.call('HINCRBY', KEYS[2], 'spent', ARGV[5])
redis.call('HINCRBY', KEYS[6], 'spent', ARGV[5])
redis.call('PEXPIRE', KEYS[6], ARGV[17])
redis.call('HINCRBY', KEYS[7], 'spent', ARGV[5])
redis.call('HSETNX', KEYS[7], 'started', ARGV[1])
if tonumber(redis.call('HGET', KEYS[7], 'attempts') or '0') < tonumber(ARGV[19]) then
  redis.call('HSET', KEYS[7], 'attempts', ARGV[19])
end
redis.call('PEXPIRE', KEYS[7], ARGV[18])
if redis.call('EXISTS', KEYS[8]) == 1 then
  redis.call('HINCRBY', KEYS[8], 'spent', ARGV[5])
  redis.call('HINCRBY', KEYS[8], 'requests', 1)
  redis.call('HINCRBY', KEYS[8], 'rate_limited', ARGV[21])
  redis.call('HINCRBY', KEYS[8], 'revision', 1)
end

local row, member = ARGV[6], ARGV[12]
if redis.call('HEXISTS', KEYS[9], 'r' .. row) == 0 and redis.call('HLEN', KEYS[9]) >= tonumber(ARGV[8]) * 5 then
  row, member = ARGV[7], ARGV[13]
end
redis.call('HINCRBY', KEYS[9], 'r' .. row, 1)
redis.call('HINCRBY', KEYS[9], 'c' .. row, ARGV[5])
redis.call('HINCRBY', KEYS[9], 'i' .. row, ARGV[9])
redis.call('HINCRBY', KEYS[9], 'o' .. row, ARGV[10])
redis.call('HINCRBY', KEYS[9], 'u' .. row, ARGV[11])
redis.call('PEXPIRE', KEYS[9], ARGV[16])
redis.call('SADD', KEYS[10], member)
redis.call('PEXPIRE', KEYS[10], ARGV[16])
redis.call('XADD', KEYS[11], 'MAXLEN', '~', ARGV[15], '*', 'event', ARGV[14])
return 'accepted'
