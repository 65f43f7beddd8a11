-- Where answers lie; before every other script. KEYS: what every name begins with.
local prefix = KEYS[1]
local ANSWERS = prefix .. 'answers'

local function answer_of(key) return prefix .. 'answer:' .. key end
local function wording_of(wording) return prefix .. 'wording:' .. wording end

local function forget(key)
  local wording = redis.call('HGET', answer_of(key), 'wording')
  if wording and wording ~= '' then redis.call('ZREM', wording_of(wording), key) end
  redis.call('ZREM', ANSWERS, key)
  return redis.call('DEL', answer_of(key))
end
