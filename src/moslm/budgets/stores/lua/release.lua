-- ARGV: id, token.
if redis.call('HGET', purchase_of(ARGV[1]), 'token') ~= ARGV[2] then return 0 end
if book(ARGV[1], 'released', 0, 0, 0, '1') then return 1 end
return 0
