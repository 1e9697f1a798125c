-- Counts one usage report, once: settles the ticket's lease, adds to the spend of the period, the
-- minute, the ticket with its rollouts, the batch and the row, and keeps the event.
-- Replies: 'accepted' | 'duplicate' | 'unknown_budget'
local reported = KEYS[1]
local budget = KEYS[2]
local expiry = KEYS[3]
local leases = KEYS[4]
local reserved = KEYS[5]
local minute = KEYS[6]
local ticket_spend = KEYS[7]
local batch = KEYS[8]
local rows = KEYS[9]
local row_tickets = KEYS[10]
local stream = KEYS[11]
local shares = KEYS[12]
local rollouts = { unpack(KEYS, 13) } -- of the assignments
local now = ARGV[1]
local reported_ttl_ms = ARGV[2]
local lease_id = ARGV[3]
local lease_expires_at = ARGV[4]
local cost = ARGV[5]
local row = ARGV[6]
local overflow_row = ARGV[7]
local max_rows = tonumber(ARGV[8])
local input_tokens = ARGV[9]
local output_tokens = ARGV[10]
local unpriced_tokens = ARGV[11]
local row_ticket = ARGV[12] -- the row with the ticket and its attempt
local overflow_row_ticket = ARGV[13]
local event = ARGV[14] -- JSON
local stream_length = ARGV[15]
local rows_ttl_ms = ARGV[16]
local minute_ttl_ms = ARGV[17]
local ticket_ttl_ms = ARGV[18]
local attempt = ARGV[19]
local share = ARGV[20] -- '' = no batch
local rate_limited = ARGV[21] -- '1' = the provider replied 429, else '0'
local is_unpriced = ARGV[22] == '1' -- the cost is not known, or a part of it is not
local assignments = { unpack(ARGV, 23) } -- see rollouts.lua

if redis.call('EXISTS', budget) == 0 then
  return 'unknown_budget'
end
if not redis.call('SET', reported, '1', 'NX', 'PX', reported_ttl_ms) then
  return 'duplicate'
end
end_expired(budget, expiry, leases, reserved, shares, now)

-- The cost comes out of the lease's reservation first, then out of the batch's.
local settled = 0
if redis.call('ZSCORE', expiry, lease_id) then
  local reserved_amount = number_or_zero(redis.call('HGET', reserved, lease_id))
  settled = math.min(reserved_amount, tonumber(cost))
  if settled > 0 then
    add_committed(budget, -settled)
    redis.call('HSET', reserved, lease_id, integer_text(reserved_amount - settled))
    local lease_share = redis.call('HGET', shares, 'share_of:' .. lease_id)
    if lease_share then
      redis.call('HINCRBY', shares, 'leased:' .. lease_share, integer_text(-settled))
    end
  end
  redis.call('ZADD', expiry, 'XX', lease_expires_at, lease_id)
end
reduce_share(budget, shares, share, cost - settled)

redis.call('HINCRBY', budget, 'spent', cost)
redis.call('HINCRBY', minute, 'spent', cost)
redis.call('PEXPIRE', minute, minute_ttl_ms)
redis.call('HINCRBY', ticket_spend, 'spent', cost)
if is_unpriced then
  redis.call('HSET', ticket_spend, 'unpriced', '1')
end
redis.call('HSETNX', ticket_spend, 'started', now)
if #rollouts > 0 then
  rollout_tickets().expose(rollouts, assignments, now, ticket_spend)
end
local known_attempts, finished, counted_by =
  unpack(redis.call('HMGET', ticket_spend, 'attempts', 'finished', 'rollouts'))
if counted_by then
  rollout_tickets().settle(counted_by, finished or '', now)
end
if number_or_zero(known_attempts) < tonumber(attempt) then
  redis.call('HSET', ticket_spend, 'attempts', attempt)
end
redis.call('PEXPIRE', ticket_spend, ticket_ttl_ms)
if redis.call('EXISTS', batch) == 1 then
  redis.call('HINCRBY', batch, 'spent', cost)
  redis.call('HINCRBY', batch, 'requests', 1)
  redis.call('HINCRBY', batch, 'rate_limited', rate_limited)
  redis.call('HINCRBY', batch, 'revision', 1)
end

-- A row has five fields.
if redis.call('HEXISTS', rows, 'requests:' .. row) == 0
  and redis.call('HLEN', rows) >= max_rows * 5 then
  row, row_ticket = overflow_row, overflow_row_ticket
end
redis.call('HINCRBY', rows, 'requests:' .. row, 1)
redis.call('HINCRBY', rows, 'cost:' .. row, cost)
redis.call('HINCRBY', rows, 'input_tokens:' .. row, input_tokens)
redis.call('HINCRBY', rows, 'output_tokens:' .. row, output_tokens)
redis.call('HINCRBY', rows, 'unpriced_tokens:' .. row, unpriced_tokens)
redis.call('PEXPIRE', rows, rows_ttl_ms)
redis.call('SADD', row_tickets, row_ticket)
redis.call('PEXPIRE', row_tickets, rows_ttl_ms)
redis.call('XADD', stream, 'MAXLEN', '~', stream_length, '*', 'event', event)
return 'accepted'
