-- Prelude: the tickets that rollouts have counted. Times are UTC in ms, of the caller's clock;
-- quality is in millionths, cost in micro-USD.
-- `rollout` is the key of a rollout's hash: 'state', 'step', 'salt', 'largest_share',
-- 'smallest_share' and 'began' (first share), 'deadline_ms', 'lag_ms', 'step_of:<share>',
-- 'misassigned'. Keys that begin with it:
--   ':tickets' hash: ticket = 'step|arm|state|quality|cost|unpriced|at|spend', where `at` is the
--     exposure while it is open and else the end, and `spend` holds the keys of what it has cost,
--     one for each of its budgets; `unpriced` is '0' = its cost is known, '1' = a part of it is
--     not, or '2' = it succeeded and no usage of it was reported yet
--   ':strata' hash: '<step>:<arm>:<field>'
--   ':deadlines' sorted set: open tickets by their exposure
--   ':baseline-times', ':canary-times' sorted sets: tickets by their exposure in the last hour
-- What a ticket has cost (`spend`) names it and its rollouts in the field 'rollouts'.
-- The functions come from one function, because most admissions need none of them and creating
-- each would make every call of the script slower.
local function rollout_tickets()
  local max_rollout_tickets = 200000
  local max_budgets_of_ticket = 8
  local exposure_times_ms = 3600000

  local function whole(value)
    return string.format('%.0f', value + 0)
  end

  local function expire_rollout(rollout, ttl_ms)
    for _, suffix in ipairs({ '', ':tickets', ':strata', ':deadlines', ':baseline-times',
      ':canary-times' }) do
      redis.call('PEXPIRE', rollout .. suffix, ttl_ms)
    end
  end

  local function read_rollout_ticket(rollout, ticket)
    local text = redis.call('HGET', rollout .. ':tickets', ticket)
    if not text then
      return nil
    end
    local step, arm, state, quality, cost, unpriced, at, spend = string.match(text,
      '^([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)|([^|]*)$')
    return {
      step = step, arm = arm, state = state, quality = tonumber(quality), cost = tonumber(cost),
      unpriced = unpriced, at = tonumber(at), spend = spend,
    }
  end

  local function write_rollout_ticket(rollout, ticket, entry)
    redis.call('HSET', rollout .. ':tickets', ticket, table.concat({ entry.step, entry.arm,
      entry.state, whole(entry.quality), whole(entry.cost), entry.unpriced, whole(entry.at),
      entry.spend }, '|'))
  end

  local function add_to_stratum(rollout, entry, field, amount)
    if amount ~= 0 then
      redis.call('HINCRBY', rollout .. ':strata', entry.step .. ':' .. entry.arm .. ':' .. field,
        whole(amount))
    end
  end

  local function times_quality(value, quality)
    return math.floor(value * quality / 1000000 + 0.5)
  end

  -- What a ticket has cost under all of its budgets, and its `unpriced`.
  local function cost_of_ticket(entry)
    local cost, is_reported, unpriced = 0, false, '0'
    for spend in string.gmatch(entry.spend, '%S+') do
      local spent, is_unpriced = unpack(redis.call('HMGET', spend, 'spent', 'unpriced'))
      if spent then
        cost = cost + tonumber(spent)
        is_reported = true
      end
      if is_unpriced then
        unpriced = '1'
      end
    end
    if not is_reported and entry.state == 'succeeded' then
      -- Work that succeeded has used a model; a ticket that failed may have done so before its
      -- first request.
      unpriced = '2'
    end
    return cost, unpriced
  end

  -- Replaces what an ended ticket adds to the sums of its stratum.
  local function set_ticket_outcome(rollout, entry, quality, cost, unpriced)
    if entry.unpriced == '1' then
      unpriced = '1'
    end
    if unpriced ~= '0' then
      -- A cost of which a part is not known must never read as a lower one.
      cost = 0
    end
    add_to_stratum(rollout, entry, 'quality', quality - entry.quality)
    add_to_stratum(rollout, entry, 'quality_squares', times_quality(quality, quality)
      - times_quality(entry.quality, entry.quality))
    add_to_stratum(rollout, entry, 'cost', cost - entry.cost)
    add_to_stratum(rollout, entry, 'cost_quality', times_quality(cost, quality)
      - times_quality(entry.cost, entry.quality))
    local squares = cost * cost - entry.cost * entry.cost
    if squares ~= 0 then
      -- The square of a cost and sums of squares exceed 64-bit integers; a float cannot overflow.
      redis.call('HINCRBYFLOAT', rollout .. ':strata',
        entry.step .. ':' .. entry.arm .. ':cost_squares', whole(squares))
    end
    add_to_stratum(rollout, entry, 'unpriced',
      (unpriced == '0' and 0 or 1) - (entry.unpriced == '0' and 0 or 1))
    entry.unpriced = unpriced
    entry.quality = quality
    entry.cost = cost
  end

  -- The step and state of a ticket at its exposure. With a share the step is the one that had it.
  local function place_of_exposure(rollout, arm, share, bucket, now)
    local state, step, largest, smallest, began, deadline_ms, step_of_share = unpack(redis.call(
      'HMGET', rollout, 'state', 'step', 'largest_share', 'smallest_share', 'began', 'deadline_ms',
      'step_of:' .. share))
    local is_canary = arm == 'canary'
    local is_possible
    if share ~= '' then
      is_possible = step_of_share and is_canary == (bucket < tonumber(share))
      step = step_of_share
    elseif is_canary then
      is_possible = bucket < tonumber(largest)
    else
      -- It may have been assigned before there was a share.
      is_possible = not smallest or bucket >= tonumber(smallest)
        or tonumber(now) < tonumber(began) + tonumber(deadline_ms)
    end
    if not is_possible then
      return step or '-1', 'misassigned'
    end
    local is_counted = (state == 'running' or state == 'holding') and tonumber(step) >= 0
    return step, is_counted and 'open' or 'outside'
  end

  -- Lets what is at `spend` find the rollout that counts its ticket.
  local function enter_rollout(rollout, ticket, spend)
    local entered = redis.call('HGET', spend, 'rollouts') or ticket
    redis.call('HSET', spend, 'rollouts', entered .. ' ' .. rollout)
  end

  -- A ticket that is counted may go on under another budget: that one's usage and end are its too.
  local function add_budget(rollout, ticket, entry, spend)
    local budgets = 0
    for present in string.gmatch(entry.spend, '%S+') do
      if present == spend then
        return
      end
      budgets = budgets + 1
    end
    if entry.state == 'misassigned' or entry.state == 'outside'
      or budgets >= max_budgets_of_ticket then
      return
    end
    entry.spend = entry.spend .. ' ' .. spend
    write_rollout_ticket(rollout, ticket, entry)
    enter_rollout(rollout, ticket, spend)
  end

  -- Counts a ticket at its first exposure to a rollout; later ones only add the budgets that it is
  -- under. `share` is '' when the application did not say it. `spend` is the key of what the ticket
  -- costs under this budget.
  local function expose_ticket(rollout, ticket, arm, share, bucket, now, spend)
    local tickets = rollout .. ':tickets'
    if redis.call('EXISTS', rollout) == 0 then
      return
    end
    local counted = read_rollout_ticket(rollout, ticket)
    if counted then
      add_budget(rollout, ticket, counted, spend)
      return
    end
    local times = rollout .. ':' .. arm .. '-times'
    redis.call('ZADD', times, 'NX', now, ticket)
    redis.call('ZREMRANGEBYSCORE', times, '-inf', '(' .. whole(now - exposure_times_ms))
    if redis.call('HLEN', tickets) < max_rollout_tickets then
      local step, state = place_of_exposure(rollout, arm, share, tonumber(bucket), now)
      local entry = { step = step, arm = arm, state = state, quality = 0, cost = 0, unpriced = '0',
        at = now, spend = spend }
      write_rollout_ticket(rollout, ticket, entry)
      if state == 'open' then
        add_to_stratum(rollout, entry, 'exposed', 1)
        redis.call('ZADD', rollout .. ':deadlines', now, ticket)
        enter_rollout(rollout, ticket, spend)
      elseif state == 'misassigned' then
        redis.call('HINCRBY', rollout, 'misassigned', 1)
      end
    end
    local ttl_ms = redis.call('PTTL', rollout)
    if ttl_ms > 0 then
      expire_rollout(rollout, ttl_ms)
    end
  end

  -- Exposes a ticket to each of its rollouts. `assignments` has four values for each rollout: the
  -- ticket, its arm, the share or '', and its bucket. What it costs is at the key `spend`.
  local function expose_to_rollouts(rollouts, assignments, now, spend)
    for index, rollout in ipairs(rollouts) do
      local place = (index - 1) * 4
      expose_ticket(rollout, assignments[place + 1], assignments[place + 2], assignments[place + 3],
        assignments[place + 4], now, spend)
    end
  end

  -- Moves an open ticket to its end: a state of a ticket, or 'overdue'. An end after the deadline
  -- is a failure, whether or not it was looked for in time.
  local function end_rollout_ticket(rollout, ticket, entry, outcome, now)
    local deadline_ms = redis.call('HGET', rollout, 'deadline_ms')
    redis.call('ZREM', rollout .. ':deadlines', ticket)
    if outcome ~= 'succeeded' and outcome ~= 'cancelled' and outcome ~= 'overdue' then
      outcome = 'failed'
    end
    if deadline_ms and now - entry.at > tonumber(deadline_ms) then
      outcome = 'overdue'
    end
    entry.state = outcome
    entry.at = now
    add_to_stratum(rollout, entry, outcome, 1)
    if outcome ~= 'cancelled' then
      local quality = outcome == 'succeeded' and 1000000 or 0
      set_ticket_outcome(rollout, entry, quality, cost_of_ticket(entry))
    end
    write_rollout_ticket(rollout, ticket, entry)
  end

  -- Brings a ticket's rollouts up to date with its end ('' = it has not ended) and its cost.
  -- `rollouts` is the field of the ticket's spend.
  local function settle_in_rollouts(rollouts, outcome, now)
    local ticket
    for word in string.gmatch(rollouts, '%S+') do
      if not ticket then
        ticket = word
      else
        local entry = read_rollout_ticket(word, ticket)
        if entry and entry.state == 'open' then
          if outcome ~= '' then
            end_rollout_ticket(word, ticket, entry, outcome, now)
          end
        elseif entry and entry.state ~= 'cancelled' then
          set_ticket_outcome(word, entry, entry.quality, cost_of_ticket(entry))
          write_rollout_ticket(word, ticket, entry)
        end
      end
    end
  end

  return {
    expire = expire_rollout,
    read = read_rollout_ticket,
    write = write_rollout_ticket,
    set_outcome = set_ticket_outcome,
    finish = end_rollout_ticket,
    expose = expose_to_rollouts,
    settle = settle_in_rollouts,
  }
end
