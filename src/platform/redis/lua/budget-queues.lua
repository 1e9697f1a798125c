-- Prelude: which queues draw on a budget. The names are in the budget itself too, because the
-- summaries of all budgets are read with one command.
local function write_queue_names(budget, queues)
  redis.call('HSET', budget, 'queues', table.concat(redis.call('SMEMBERS', queues), ' '))
end

-- A budget that is not defined yet gets the names when it is.
local function add_queue(budget, queues, queue)
  if redis.call('SADD', queues, queue) == 1 and redis.call('EXISTS', budget) == 1 then
    write_queue_names(budget, queues)
  end
end
