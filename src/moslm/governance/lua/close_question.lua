-- KEYS: the question. ARGV: what was shown, a token, then the fields of how it ends.
-- The token names the one who closes: asked again, because the reply was lost, it is told that it was the one.
local row = redis.call('HMGET', KEYS[1], 'state', 'shown_sha256', 'token')
if row[3] == ARGV[2] then return 1 end
if row[1] ~= 'asked' or row[2] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'token', ARGV[2], unpack(ARGV, 3))
return 1
