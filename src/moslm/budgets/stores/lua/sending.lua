-- ARGV: id, token, nonce of this note: asked again with the same, because the reply was lost, it is told the same.
local key = purchase_of(ARGV[1])
local row = redis.call('HMGET', key, 'state', 'token', 'sending', 'lapses')
if row[2] ~= ARGV[2] then return 0 end
if row[1] == 'sent' and row[3] == ARGV[3] then return 1 end
if row[1] ~= 'reserved' or tonumber(row[4]) < now() then return 0 end
redis.call('HSET', key, 'state', 'sent', 'sending', ARGV[3])
return 1
