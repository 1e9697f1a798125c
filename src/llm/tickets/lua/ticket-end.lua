-- Writes the end of a ticket as its holder, and gives its lease back.
-- Replies: {'lost'} = another holder has the ticket, or it has ended; nothing was changed
--   | {'again'} = the ticket had been counted as ended | {'ended', spent, started at, attempts}
local ticket = KEYS[1]
local open_tickets = KEYS[2]
local counts = KEYS[3]
local batch = KEYS[4] -- any key if the ticket has no batch, here and in the next but one
local ticket_spend = KEYS[5]
local batch_ended = KEYS[6]
local reference_holder = KEYS[7] -- any key if the ticket has no reference
local heartbeats = KEYS[8]
local budget = KEYS[9]
local expiry = KEYS[10]
local leases = KEYS[11]
local reserved = KEYS[12]
local shares = KEYS[13]
local kind_costs = KEYS[14]
local holder = ARGV[1]
local now = ARGV[2]
local slot = ARGV[3]
local retention_ms = ARGV[4]
local outcome = ARGV[5]
local lease_id = ARGV[6]
local ticket_ttl_ms = ARGV[7]
local share = ARGV[8] -- '' = no batch
local history_length = tonumber(ARGV[9])
local is_unused = ARGV[10] == '1'
local fields = { unpack(ARGV, 11) } -- name, value, …

local at = {
  ticket = ticket,
  open_tickets = open_tickets,
  counts = counts,
  batch = batch,
  ticket_spend = ticket_spend,
  batch_ended = batch_ended,
  reference_holder = reference_holder,
  heartbeats = heartbeats,
  budget = budget,
  expiry = expiry,
  leases = leases,
  reserved = reserved,
  shares = shares,
  kind_costs = kind_costs,
}
if write_ticket(at, 'update', holder, now, outcome, fields, slot, retention_ms) ~= 1 then
  return { 'lost' }
end
local ended = release_lease(at, {
  now = now,
  lease_id = lease_id,
  outcome = outcome,
  ticket_ttl_ms = ticket_ttl_ms,
  share = share,
  history_length = history_length,
  is_unused = is_unused,
  rollouts = {},
  assignments = {},
})
if #ended == 0 then
  return { 'again' }
end
return { 'ended', unpack(ended) }
