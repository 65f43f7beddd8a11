-- ARGV: id, token, nanos, tokens, calls, known (1 or 0), seconds its answer is kept, answer.
local key = purchase_of(ARGV[1])
if redis.call('HGET', key, 'token') ~= ARGV[2] then return 0 end
if not book(ARGV[1], 'settled', tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]) then return 0 end
local seconds = tonumber(ARGV[7])
if seconds > 0 then
  redis.call('HSET', key, 'answer_until', string.format('%.6f', now() + seconds))
  redis.call('SET', prefix .. 'answer:' .. ARGV[1], ARGV[8], 'EX', math.ceil(seconds))
end
return 1
