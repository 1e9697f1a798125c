-- Ends a ticket's lease; its last turn is charged when nothing was reported and it is not said to
-- be unused. With an outcome it also ends the ticket, once: its cost joins the history
-- of its kind, its batch reserves only what its open tickets may still need, and its rollouts count
-- it as ended.
-- Replies: {} | {spent, started at, attempts} = this call ended the ticket
local budget = KEYS[1]
local expiry = KEYS[2]
local leases = KEYS[3]
local reserved = KEYS[4]
local shares = KEYS[5]
local ticket_spend = KEYS[6]
local kind_costs = KEYS[7]
local batch = KEYS[8]
local rollouts = { unpack(KEYS, 9) } -- of the assignments
local now = ARGV[1]
local lease_id = ARGV[2]
local outcome = ARGV[3] -- '' = the ticket has not ended
local ticket_ttl_ms = ARGV[4]
local share = ARGV[5] -- '' = no batch
local history_length = tonumber(ARGV[6])
local is_unused = ARGV[7] == '1' -- no request was made since the last admission
local assignments = { unpack(ARGV, 8) } -- see rollouts.lua

local at = {
  budget = budget,
  expiry = expiry,
  leases = leases,
  reserved = reserved,
  shares = shares,
  ticket_spend = ticket_spend,
  kind_costs = kind_costs,
  batch = batch,
}
local ask = {
  now = now,
  lease_id = lease_id,
  outcome = outcome,
  ticket_ttl_ms = ticket_ttl_ms,
  share = share,
  history_length = history_length,
  is_unused = is_unused,
  rollouts = rollouts,
  assignments = assignments,
}
return release_lease(at, ask)
