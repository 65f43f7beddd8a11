-- The server's own time, seconds since the epoch: no client's clock is ever asked.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end
