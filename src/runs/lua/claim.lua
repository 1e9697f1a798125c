-- Gives one worker the right to write into a run. No live lease may exist, not even its own, unless it has just started under that name (ARGV 5).
-- KEYS 1 run  2 journal  3 due   ARGV 1 run id  2 worker  3 lease ms  4 nonce  5 '1' = take back this name's own lease
-- Replies: {'unknown_run'} | {'ended'} | {'damaged'} | {'held', ms} | {'waiting', ms} | {'ok', token, epoch, head, stalls, stop by, stop reason, resolved, summary JSON, journal…}
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local v = redis.call('HMGET', KEYS[1], 'state', 'leaseUntil', 'owner', 'wakeAt', 'epoch', 'head', 'stopBy', 'stopReason', 'resolved', 'woken', 'summary', 'stalls')
if not v[1] then
  redis.call('ZREM', KEYS[3], ARGV[1])
  return { 'unknown_run' }
end
if v[1] == 'ended' then
  redis.call('ZREM', KEYS[3], ARGV[1])
  return { 'ended' }
end
if v[1] == 'damaged' then
  redis.call('ZREM', KEYS[3], ARGV[1])
  return { 'damaged' }
end
local lease = tonumber(v[2] or '0')
if lease > now and not (ARGV[5] == '1' and v[3] == ARGV[2]) then
  redis.call('ZADD', KEYS[3], lease, ARGV[1])
  return { 'held', lease - now }
end
-- A suspended run is claimed when its time has come or when somebody woke it.
if (v[1] == 'suspended' or v[1] == 'in_doubt') and not v[10] then
  local wake = tonumber(v[4] or '-1')
  if wake < 0 then
    redis.call('ZREM', KEYS[3], ARGV[1])
    return { 'waiting', -1 }
  end
  if wake > now then
    redis.call('ZADD', KEYS[3], wake, ARGV[1])
    return { 'waiting', wake - now }
  end
end
-- Never re-issued, even when a failover lost the last epoch; the nonce tells two holders of one epoch apart.
local epoch = math.max(tonumber(v[5] or '0') + 1, now)
local token = string.format('%.0f', epoch) .. ':' .. ARGV[4]
local stalls = tonumber(v[12] or '0') + 1
redis.call('HSET', KEYS[1], 'epoch', string.format('%.0f', epoch), 'token', token, 'owner', ARGV[2], 'leaseUntil', now + ARGV[3], 'state', 'running', 'stalls', stalls)
if v[10] then redis.call('HDEL', KEYS[1], 'woken') end
redis.call('ZADD', KEYS[3], now + ARGV[3], ARGV[1])
local reply = { 'ok', token, string.format('%.0f', epoch), v[6], stalls, v[7] or '', v[8] or '', v[9] or '', v[11] or 'null' }
for _, entry in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do reply[#reply + 1] = entry end
return reply
