-- ARGV: key, token, seconds until it lapses, seconds its record is kept, nanos, tokens, calls, lines.
-- The token names the one who asks: asked again, because the reply was lost, it is told the same and nothing is added.
local key, token = ARGV[1], ARGV[2]
local nanos, tokens, calls = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local lines, at = cjson.decode(ARGV[8]), now()

-- what holders that are gone left: given back where nothing was sent, else booked in full
for _, id in ipairs(redis.call('ZRANGEBYSCORE', OPEN, '-inf', string.format('(%.6f', at))) do
  local row = redis.call('HMGET', purchase_of(id), 'state', 'nanos', 'tokens', 'calls')
  if row[1] == 'reserved' then
    book(id, 'released', 0, 0, 0, '1')
  else
    book(id, 'lapsed', tonumber(row[2]), tonumber(row[3]), tonumber(row[4]), '0')
  end
end

local attempt = tonumber(redis.call('GET', attempt_of(key)) or '0')
local own = false
if attempt > 0 then
  local id = key .. ':' .. attempt
  local row = redis.call('HMGET', purchase_of(id), 'state', 'token', 'lapses', 'answer_until')
  if row[1] == 'reserved' or row[1] == 'sent' then
    own = row[2] == token
    if not own then return { 'underway', row[3] } end
  elseif row[4] and tonumber(row[4]) > at then
    local answer = redis.call('GET', prefix .. 'answer:' .. id)
    if answer then return { 'bought', answer } end
  end
end

local amounts, requests, full = {}, {}, 0
for i, line in ipairs(lines) do
  local amount, counted = taken(line)
  if own then amount = amount - line.amount end
  amounts[i], requests[i] = amount, counted
  local limit = line.limit
  if line.slice then limit = math.max(line.free, math.floor(line.share * (counted + line.closing) + 1e-9)) end
  if full == 0 and amount > limit - line.amount then full = i end
end
if own then return { 'hold', attempt, amounts, requests } end
if full > 0 then return { 'cap', full, amounts, requests } end

attempt = attempt + 1
local id = key .. ':' .. attempt
for _, line in ipairs(lines) do
  add('counter:', line, line.amount)
end
local lapses = string.format('%.6f', at + tonumber(ARGV[3]))
redis.call('SET', attempt_of(key), attempt)
redis.call('HSET', purchase_of(id), 'state', 'reserved', 'token', token, 'key', key, 'attempt', attempt,
  'lapses', lapses, 'keep', ARGV[4], 'nanos', nanos, 'tokens', tokens, 'calls', calls, 'lines', ARGV[8])
redis.call('ZADD', OPEN, lapses, id)
redis.call('HINCRBY', TOTALS, 'held', nanos)
return { 'hold', attempt, amounts, requests }
