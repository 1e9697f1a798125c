-- Puts a new honeytoken before the older ones of a prompt, or only makes the first.
-- Replies: 1 it was put there | 0 there is one already
local honeytokens = KEYS[1]
local prompt = ARGV[1]
local new_token = ARGV[2]
local rotate = ARGV[3] == '1' -- false = only when the prompt has none
local max_tokens = tonumber(ARGV[4])

local stored = redis.call('HGET', honeytokens, prompt)
if stored and not rotate then
  return 0
end
local tokens = { new_token }
for token in string.gmatch(stored or '', '[^,]+') do
  if #tokens < max_tokens then
    tokens[#tokens + 1] = token
  end
end
redis.call('HSET', honeytokens, prompt, table.concat(tokens, ','))
return 1
