-- ARGV: wording, most.
local found = {}
for _, key in ipairs(redis.call('ZREVRANGE', wording_of(ARGV[1]), 0, ARGV[2] - 1)) do
  local value = redis.call('HGET', answer_of(key), 'value')
  if value then
    found[#found + 1] = key
    found[#found + 1] = value
  end
end
return found
