-- Gives one worker the right to write into a run. A live lease prevents it, even the worker's own.
-- Replies: {'unknown_run'} | {'ended'} | {'damaged'} | {'leased', ms}
--   | {'waiting', ms; -1 = no end}
--   | {'ok', token, epoch, head, stalls, stop by, stop reason, resolved, joined, joined reason,
--      summary JSON, step, journal…}
local run = KEYS[1]
local journal = KEYS[2]
local due = KEYS[3]
local run_id = ARGV[1]
local worker = ARGV[2]
local lease_ms = ARGV[3]
local nonce = ARGV[4]

local state, lease_until, wake_at, last_epoch, head, stop_by, stop_reason, resolved, woken,
  summary, last_stalls, joined, joined_reason, released_at, step = unpack(redis.call('HMGET', run,
  'state', 'leaseUntil', 'wakeAt', 'epoch', 'head', 'stopBy', 'stopReason', 'resolved', 'woken',
  'summary', 'stalls', 'joined', 'joinedReason', 'releasedAt', 'step'))
if not state or state == 'ended' or state == 'damaged' then
  redis.call('ZREM', due, run_id)
  return { state or 'unknown_run' }
end
local now = now_ms()
local lease = tonumber(lease_until or '0')
-- A lease that ends later than one that begins now was given before the clock was set back: over.
if lease > now and lease <= now + lease_ms then
  redis.call('ZADD', due, lease, run_id)
  return { 'leased', lease - now }
end
-- A suspended run can be claimed when its time has come, or after it was woken.
if (state == 'suspended' or state == 'in_doubt') and not woken then
  local wake = tonumber(wake_at or '-1')
  if wake < 0 then
    redis.call('ZREM', due, run_id)
    return { 'waiting', -1 }
  end
  -- A wait that begins later than now began before the clock was set back: the engine tells what is
  -- left of it.
  if wake > now and tonumber(released_at or '0') <= now + 1000 then
    redis.call('ZADD', due, wake, run_id)
    return { 'waiting', wake - now }
  end
end
-- The time keeps an epoch unique even when a failover lost the last one; the nonce distinguishes
-- two claims of one epoch.
local epoch = string.format('%.0f', math.max(tonumber(last_epoch or '0') + 1, now))
local token = epoch .. ':' .. nonce
local stalls = tonumber(last_stalls or '0') + 1
redis.call('HSET', run, 'epoch', epoch, 'token', token, 'owner', worker,
  'leaseUntil', now + lease_ms, 'state', 'running', 'stalls', stalls)
-- The claim is told of these joins; later ones wake the run again when it is released.
if joined then
  redis.call('HSET', run, 'joinsClaimed', joined)
end
if woken then
  redis.call('HDEL', run, 'woken')
end
redis.call('ZADD', due, now + lease_ms, run_id)
local reply = { 'ok', token, epoch, head, stalls, stop_by or '', stop_reason or '', resolved or '',
  joined or '0', joined_reason or '', summary or 'null', step or '' }
for _, entry in ipairs(redis.call('LRANGE', journal, 0, -1)) do
  reply[#reply + 1] = entry
end
return reply
