-- Leases the mail that is due first by moving its due time to the end of the lease; whoever settles it names that time.
-- KEYS: 1 due. ARGV: 1 now ms, 2 end of the lease ms.
-- Returns the id, or nil when none is due.
local id = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 1)[1]
if id then redis.call('ZADD', KEYS[1], 'XX', ARGV[2], id) end
return id
