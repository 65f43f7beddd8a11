-- ARGV: lines of shares, on each of which one request is counted.
for _, line in ipairs(cjson.decode(ARGV[1])) do
  add('requests:', line, 1)
end
return 1
