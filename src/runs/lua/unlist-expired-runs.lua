-- Removes runs that are no longer kept from their indexes, at most `count` of them.
-- Replies: how many were removed
local places = KEYS[1]
local expiry = KEYS[2]
local count = ARGV[1]

return unlist_expired_runs(places, expiry, string.format('%.0f', now_ms()), count)
