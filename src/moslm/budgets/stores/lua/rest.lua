-- ARGV: window, seconds in which nothing passes.
local key, seconds = prefix .. 'window:' .. ARGV[1], tonumber(ARGV[2])
local stood = tonumber(redis.call('HGET', key, 'rests') or '0')
redis.call('HSET', key, 'rests', string.format('%.6f', math.max(stood, now() + seconds)))
if redis.call('TTL', key) < seconds + 60 then redis.call('EXPIRE', key, math.ceil(seconds) + 60) end
return 1
