-- ARGV: tenant, domain and decision, each after '=', or '' where it does not narrow; then keys.
local wanted, gone = { tenant = ARGV[1], domain = ARGV[2], decision = ARGV[3] }, 0
for i = 4, #ARGV do
  local meant = true
  for name, value in pairs(wanted) do
    if value ~= '' and '=' .. (redis.call('HGET', answer_of(ARGV[i]), name) or '') ~= value then meant = false end
  end
  if meant then gone = gone + forget(ARGV[i]) end
end
return gone
