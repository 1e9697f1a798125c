-- Writes the oldest turn that ended without a report into the history, or that a report came after
-- all. The money was charged, or given back, when that happened.
-- Replies: 1 = written | 0 = another process has written it
local unreported = KEYS[1]
local rows = KEYS[2]
local row_tickets = KEYS[3]
local usage_events = KEYS[4]
local usage_events_kept = KEYS[5]
local item = ARGV[1] -- as it is in the list
local row = ARGV[2]
local cost = ARGV[3] -- negative when it was given back
local event = ARGV[4] -- JSON
local event_at = ARGV[5]
local row_ticket = ARGV[6]
local rows_ttl_ms = ARGV[7]
local now = ARGV[8]
local events_ttl_ms = ARGV[9]
local events_max_bytes = ARGV[10]

if redis.call('LINDEX', unreported, 0) ~= item then
  return 0
end
redis.call('LPOP', unreported)
redis.call('HINCRBY', rows, 'requests:' .. row, tonumber(cost) > 0 and 1 or -1)
redis.call('HINCRBY', rows, 'cost:' .. row, cost)
redis.call('HINCRBY', rows, 'estimated:' .. row, cost)
redis.call('PEXPIRE', rows, rows_ttl_ms)
redis.call('SADD', row_tickets, row_ticket)
redis.call('PEXPIRE', row_tickets, rows_ttl_ms)
local bytes = keep_event(usage_events, usage_events_kept, event_at, event)
limit_events(usage_events, usage_events_kept, bytes, now, events_ttl_ms, events_max_bytes)
return 1
