-- Records a person's answer to a run's question. Exactly one answer decides: it is appended to the
-- journal while no worker has the run, and wakes the run. A consent that needs more consents is
-- kept beside the question.
-- Replies: 'ok' | 'recorded' | 'counted' (this person consented before) | 'already:<answer>'
--   | 'expired' | 'over' (the run no longer waits for it)
--   | 'conflict' (the head or the consents changed: read again) | 'not_found'
--   | 'busy' (the worker still has the run)
local question = KEYS[1]
local run = KEYS[2]
local journal = KEYS[3]
local due = KEYS[4]
local open_questions = KEYS[5]
local consents = KEYS[6] -- name → JSON
local answered_questions = KEYS[7]
local feed = KEYS[8]
local run_id = ARGV[1]
local question_id = ARGV[2]
local expected_head = ARGV[3]
local new_head = ARGV[4]
local entry = ARGV[5]
local expires_at = ARGV[6] -- ms; '' = never
local answer = ARGV[7] -- JSON of the answer, or of the consent when more consents are needed
local mode = ARGV[8] -- 'alone' = one is enough | 'consent' = more follow | 'decide' = the last
local by = ARGV[9]
local expected_consents = tonumber(ARGV[10])
local retention_days = ARGV[11]

local asking_run, earlier_answer = unpack(redis.call('HMGET', question, 'run', 'answer'))
if asking_run ~= run_id then
  return 'not_found'
end
if earlier_answer then
  return 'already:' .. earlier_answer
end
local now = now_ms()
if expires_at ~= '' and tonumber(expires_at) < now then
  return 'expired'
end
local head, state, lease_until, stop_by, current_question, woken =
  unpack(redis.call('HMGET', run, 'head', 'state', 'leaseUntil', 'stopBy', 'question', 'woken'))
-- A stop that the worker has not seen yet comes before any answer.
if not head or state == 'ended' or (stop_by and woken) then
  redis.call('ZREM', open_questions, question_id)
  return 'over'
end
if tonumber(lease_until or '0') > now then
  return 'busy'
end
-- The worker continued without an answer, or asks another question now.
if current_question and current_question ~= question_id then
  return 'over'
end
local retention_seconds = retention_days * 86400
if mode ~= 'alone' then
  if redis.call('HEXISTS', consents, by) == 1 then
    return 'counted'
  end
  if redis.call('HLEN', consents) ~= expected_consents then
    return 'conflict'
  end
end
if mode == 'consent' then
  redis.call('HSET', consents, by, answer)
  redis.call('EXPIRE', consents, retention_seconds)
  publish_run(feed, run_id)
  return 'recorded'
end
if head ~= expected_head then
  return 'conflict'
end
redis.call('HSET', question, 'answer', answer)
redis.call('EXPIRE', question, retention_seconds)
redis.call('RPUSH', journal, entry)
redis.call('HSET', run, 'head', new_head, 'woken', '1', 'stalls', 0)
redis.call('ZREM', open_questions, question_id)
redis.call('ZADD', answered_questions, now, question_id)
-- The questions themselves expire as late.
redis.call('ZREMRANGEBYSCORE', answered_questions, '-inf', now - retention_seconds * 1000)
redis.call('ZREMRANGEBYRANK', answered_questions, 0, -10001)
redis.call('ZADD', due, now, run_id)
publish_run(feed, run_id)
return 'ok'
