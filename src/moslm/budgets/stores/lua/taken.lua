-- ARGV: lines.
local found = {}
for i, line in ipairs(cjson.decode(ARGV[1])) do
  local amount, counted = taken(line)
  found[i] = { amount, counted }
end
return found
