-- Writes fields of a ticket, and moves it to another state with everything that counts states.
-- Modes: 'update' = write as the holder | 'claim' = become the holder and write
--   | 'claim_if_idle' = the same, unless the ticket is running
--   | 'claim_for_recovery' = the same, also for a dead ticket, which is then open again
--   | 'activate_draft' = write for any holder, if the ticket waits for its draft batch
-- Replies: 1 = written | 0 = another holder has the ticket, or the mode does not permit it
--   | -1 = there is no such ticket
local ticket = KEYS[1]
local open_tickets = KEYS[2] -- of its queue, like the next
local unqueued_tickets = KEYS[3]
local counts = KEYS[4]
local batch = KEYS[5] -- any key if the ticket has no batch, here and in the next but one
local ticket_spend = KEYS[6]
local batch_ended = KEYS[7]
local reference_holder = KEYS[8] -- any key if the ticket has no reference
local heartbeats = KEYS[9]
local holder = ARGV[1]
local now = ARGV[2]
local mode = ARGV[3]
local retention_ms = ARGV[4] -- after the ticket's end
local new_state = ARGV[5] -- '' = the state stays
local slot = ARGV[6] -- of time, in which an end is counted
local fields = { unpack(ARGV, 7) } -- name, value, …

local at = {
  ticket = ticket,
  open_tickets = open_tickets,
  unqueued_tickets = unqueued_tickets,
  counts = counts,
  batch = batch,
  ticket_spend = ticket_spend,
  batch_ended = batch_ended,
  reference_holder = reference_holder,
  heartbeats = heartbeats,
}
return write_ticket(at, mode, holder, now, new_state, fields, slot, retention_ms)
