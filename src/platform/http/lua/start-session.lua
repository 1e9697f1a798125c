-- Starts a session. A token has a limited number of them: one more ends the oldest.
-- Replies: 'ok'
local session = KEYS[1]
local sessions_of_token = KEYS[2] -- hash of the session's secret → when it began
local session_hash = ARGV[1]
local token_hash = ARGV[2]
local created_at = ARGV[3]
local idle_ms = ARGV[4]
local max_ms = ARGV[5]
local max_per_token = tonumber(ARGV[6])

redis.call('HSET', session, 'token', token_hash, 'createdAt', created_at)
redis.call('PEXPIRE', session, idle_ms)
redis.call('ZADD', sessions_of_token, created_at, session_hash)
redis.call('PEXPIRE', sessions_of_token, max_ms)
local surplus = redis.call('ZCARD', sessions_of_token) - max_per_token
if surplus > 0 then
  for _, oldest in ipairs(redis.call('ZRANGE', sessions_of_token, 0, surplus - 1)) do
    redis.call('DEL', '{rb}:session:' .. oldest)
    redis.call('ZREM', sessions_of_token, oldest)
  end
end
return 'ok'
