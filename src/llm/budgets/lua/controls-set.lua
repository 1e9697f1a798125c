-- Replaces a budget's controls if their version is the expected one, and logs a change of the gate.
-- Replies: {'set' | 'conflict', version, controls JSON} | {} = there is no such budget
local budget = KEYS[1]
local log = KEYS[2]
local expected_version = ARGV[1]
local new_controls = ARGV[2] -- JSON
local now = ARGV[3]
local budget_id = ARGV[4]
local gate = ARGV[5]
local paused_until = ARGV[6] -- ms; '' = without an end, or not paused
local by = ARGV[7]
local gate_changes = ARGV[8] == '1'
local log_length = ARGV[9]

local version, controls = unpack(redis.call('HMGET', budget, 'version', 'controls'))
if not version then
  return {}
end
if version ~= expected_version then
  return { 'conflict', version, controls }
end
local new_version = tostring(redis.call('HINCRBY', budget, 'version', 1))
redis.call('HSET', budget, 'controls', new_controls)
if gate_changes then
  redis.call('XADD', log, 'MAXLEN', '~', log_length, '*', 'kind', 'gate', 'at', now,
    'budget', budget_id, 'gate', gate, 'until', paused_until, 'by', by)
end
return { 'set', new_version, new_controls }
