-- ARGV: window, tokens asked for, then of requests and of tokens: seconds for one, and how many pass at once. Zero seconds
-- for a token: tokens are not counted. As `moslm.budgets.pace.LocalWindow` does it.
local key, at, tokens = prefix .. 'window:' .. ARGV[1], now(), tonumber(ARGV[2])
local row = redis.call('HMGET', key, 'requests', 'tokens', 'rests')

local function owed(full)
  return math.max(tonumber(full or '0') - at, 0)
end

local function wait(seconds, cost, interval, burst)
  return seconds + (math.min(cost, burst) - burst) * interval
end

local each, token_each = tonumber(ARGV[3]), tonumber(ARGV[5])
local requests_owed, tokens_owed = owed(row[1]), owed(row[2])
local longest = math.max(
  tonumber(row[3] or '0') - at,
  wait(requests_owed, 1, each, tonumber(ARGV[4])),
  wait(tokens_owed, tokens, token_each, tonumber(ARGV[6]))
)
-- the server's clock counts microseconds
if longest > 0.000001 then return string.format('%.6f', longest) end
requests_owed, tokens_owed = requests_owed + each, tokens_owed + tokens * token_each
redis.call('HSET', key, 'requests', string.format('%.6f', at + requests_owed),
  'tokens', string.format('%.6f', at + tokens_owed))
redis.call('EXPIRE', key, math.ceil(math.max(requests_owed, tokens_owed, 0)) + 60)
return '0'
