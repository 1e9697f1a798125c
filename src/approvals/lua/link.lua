-- Tries one token of a mailed link. Wrong ones are counted; after too many the links of the question open nothing any more.
-- KEYS 1 links of a question (hash of token → '1', 'wrong' → count)   ARGV 1 hash of the token  2 tries allowed
-- Replies: -1 = right | tries that are left (0 = locked, or there is no link)
local wrong = tonumber(redis.call('HGET', KEYS[1], 'wrong') or '0')
local allowed = tonumber(ARGV[2])
if wrong >= allowed then return 0 end
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then return -1 end
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
return allowed - redis.call('HINCRBY', KEYS[1], 'wrong', 1)
