-- Tries one token of a mailed link. Wrong tokens are counted; after too many, the links of the
-- question are locked.
-- Replies: -1 = right | count of tries that remain (0 = locked, or there is no link)
local links = KEYS[1] -- <hash of a token> → '1' | wrong: count
local token_hash = ARGV[1]
local max_tries = tonumber(ARGV[2])

local wrong = tonumber(redis.call('HGET', links, 'wrong') or '0')
if wrong >= max_tries then
  return 0
end
if redis.call('HEXISTS', links, token_hash) == 1 then
  return -1
end
if redis.call('EXISTS', links) == 0 then
  return 0
end
return max_tries - redis.call('HINCRBY', links, 'wrong', 1)
