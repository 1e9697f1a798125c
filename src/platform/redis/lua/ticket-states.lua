-- Prelude: states of tickets that nothing leads out of.
local is_end = {
  succeeded = true,
  failed = true,
  dead = true,
  cancelled = true,
  quarantined = true,
}
