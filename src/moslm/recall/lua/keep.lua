-- ARGV: key, value, milliseconds it holds, wording or '', tenant, domain, decision, most.
local key, wording, holds = ARGV[1], ARGV[4], tonumber(ARGV[3])
local time = redis.call('TIME')
local at = time[1] * 1000 + math.floor(time[2] / 1000)

-- first, because a server that is full refuses only a script that has written nothing yet
if holds > 0 then redis.call('ZADD', ANSWERS, at + holds, key) end
forget(key)
if holds > 0 then
  redis.call('ZADD', ANSWERS, at + holds, key)
  redis.call('HSET', answer_of(key), 'value', ARGV[2], 'wording', wording, 'tenant', ARGV[5], 'domain', ARGV[6],
    'decision', ARGV[7])
  redis.call('PEXPIRE', answer_of(key), ARGV[3])
  if wording ~= '' then
    local said = wording_of(wording)
    redis.call('ZADD', said, at, key)
    -- what expired leaves its name here
    redis.call('ZREMRANGEBYRANK', said, 0, -201)
    redis.call('PEXPIRE', said, math.max(holds, redis.call('PTTL', said)))
  end
end

redis.call('ZREMRANGEBYSCORE', ANSWERS, '-inf', at)
local over = redis.call('ZCARD', ANSWERS) - tonumber(ARGV[8])
if over > 0 then
  for _, oldest in ipairs(redis.call('ZRANGE', ANSWERS, 0, math.min(over, 100) - 1)) do forget(oldest) end
end
