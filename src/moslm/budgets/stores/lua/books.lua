-- What the steps share. KEYS[1] begins every key and carries a hash tag, so that they all lie in one slot of a cluster;
-- keys of counters and purchases are found on the way and cannot be declared. Amounts stay below 2^53, where a double
-- holds every whole number, and are never joined into text, which would round them to 14 digits.
local prefix = KEYS[1]
local OPEN, TOTALS = prefix .. 'open', prefix .. 'totals'

local function purchase_of(id)
  return prefix .. 'purchase:' .. id
end

local function attempt_of(key)
  return prefix .. 'attempt:' .. key
end

local function cells_since(key, since)
  local cells, found, older = redis.call('HGETALL', key), 0, {}
  for i = 1, #cells, 2 do
    if tonumber(cells[i]) >= since then
      found = found + tonumber(cells[i + 1])
    else
      older[#older + 1] = cells[i]
    end
  end
  return found, older
end

-- Return what a line has taken, and for a share the requests counted beside it.
local function taken(line)
  if not line.slice then
    return tonumber(redis.call('GET', prefix .. 'counter:' .. line.name) or '0'), 0
  end
  local amount = cells_since(prefix .. 'counter:' .. line.name, line.since)
  return amount, (cells_since(prefix .. 'requests:' .. line.name, line.since))
end

-- Add to a counter; it goes some time after its window has ended, one that counts for ever never.
local function add(kind, line, amount)
  local key = prefix .. kind .. line.name
  if line.slice then
    redis.call('HINCRBY', key, line.slice, amount)
    if redis.call('HLEN', key) > 120 then
      local _, older = cells_since(key, line.since)
      if #older > 0 then redis.call('HDEL', key, unpack(older)) end
    end
  else
    redis.call('INCRBY', key, amount)
  end
  if line.keep then redis.call('EXPIRE', key, line.keep) end
end

-- Correct a counter, where its window is not so long over that it is gone.
local function correct(line, amount)
  local key = prefix .. 'counter:' .. line.name
  local there
  if line.slice then there = redis.call('HEXISTS', key, line.slice) else there = redis.call('EXISTS', key) end
  if there == 1 and amount ~= 0 then add('counter:', line, amount) end
end

-- Close a purchase: on every counter and in the totals, what was spent takes the place of what stood there. What lapsed
-- was booked without its holder's word, so a late word still counts; any other end is the last one.
local function book(id, state, nanos, tokens, calls, known)
  local key = purchase_of(id)
  local row = redis.call('HMGET', key, 'state', 'nanos', 'tokens', 'calls', 'lines', 'known', 'key', 'attempt', 'keep')
  local was = row[1]
  local open = was == 'reserved' or was == 'sent'
  if not open and not (was == 'lapsed' and state == 'settled') then return false end
  local stood = { usd = tonumber(row[2]), tokens = tonumber(row[3]), calls = tonumber(row[4]) }
  local spent = { usd = nanos, tokens = tokens, calls = calls }
  stood.share, spent.share = stood.calls, spent.calls
  for _, line in ipairs(cjson.decode(row[5])) do
    correct(line, spent[line.unit] - stood[line.unit])
  end
  if open then
    redis.call('HINCRBY', TOTALS, 'held', 0 - stood.usd) -- a bare minus would make of nothing a -0, which Redis refuses
    stood.usd, stood.tokens, stood.calls = 0, 0, 0
  elseif row[6] == '0' then
    redis.call('HINCRBY', TOTALS, 'unknown', -1)
  end
  redis.call('HINCRBY', TOTALS, 'nanos', spent.usd - stood.usd)
  redis.call('HINCRBY', TOTALS, 'tokens', spent.tokens - stood.tokens)
  redis.call('HINCRBY', TOTALS, 'calls', spent.calls - stood.calls)
  if known == '0' then redis.call('HINCRBY', TOTALS, 'unknown', 1) end
  redis.call('HSET', key, 'state', state, 'nanos', nanos, 'tokens', tokens, 'calls', calls, 'known', known)
  -- only what lapsed can be booked again
  if state ~= 'lapsed' then redis.call('HDEL', key, 'lines') end
  redis.call('ZREM', OPEN, id)
  redis.call('EXPIRE', key, row[9])
  if redis.call('GET', attempt_of(row[7])) == row[8] then redis.call('EXPIRE', attempt_of(row[7]), row[9]) end
  return true
end
