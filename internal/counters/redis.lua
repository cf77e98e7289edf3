-- Counts for limits, all or nothing. KEYS are the counters, all in one slot of a cluster. ARGV is "take", "check" or "commit", the cost, the time in
-- microseconds (0: that of this server), and for each key the window ("s"liding, "f"ixed, "b"ucket), maximum, period and start in microseconds.
-- Answers: 1 when every limit has room, the position of the first without, what the tightest has left, microseconds until there is room (-1: never).
local mode, cost, now = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if now == 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000000 + t[2]
end

-- Numbers of this size lose digits when Lua writes them by itself.
local function text(n) return string.format('%.0f', n) end

local function expire(key, micros) redis.call('PEXPIRE', key, text(math.max(math.ceil(micros / 1000), 1))) end

local sliding, fixed, bucket = {}, {}, {}

-- A sliding window is a list: the sum, then number:last:count of slices of the period, oldest first. A slice counts until a period after its last call.
local function slice(s)
  local number, last, count = string.match(s, '^(%d+):(%d+):(%-?%d+)$')
  return tonumber(number), tonumber(last), tonumber(count)
end

function sliding.sum(key, l)
  local sum = tonumber(redis.call('LINDEX', key, 0) or 0)
  while true do
    local oldest = redis.call('LINDEX', key, 1)
    if not oldest then return sum end
    local _, last, count = slice(oldest)
    if last > now - l.period then return sum end
    redis.call('LPOP', key)
    redis.call('LPOP', key)
    sum = sum - count
    redis.call('LPUSH', key, text(sum))
  end
end

function sliding.room(key, l)
  local room = l.max - sliding.sum(key, l)
  if room >= cost then return room, 0 end
  local freed = room
  for _, s in ipairs(redis.call('LRANGE', key, 1, -1)) do
    local _, last, count = slice(s)
    freed = freed + count
    if freed >= cost then return room, math.max(last + l.period - now, 1) end
  end
  return room, l.period
end

function sliding.add(key, l)
  local sum = sliding.sum(key, l)
  local number = math.floor(now / math.max(math.floor(l.period / 100), 1))
  local size = redis.call('LLEN', key)
  if size == 0 then redis.call('RPUSH', key, '0') end
  local last, _, count = nil, nil, nil
  if size > 1 then last, _, count = slice(redis.call('LINDEX', key, -1)) end
  if last == number then
    redis.call('LSET', key, -1, text(number) .. ':' .. text(now) .. ':' .. text(count + cost))
  else
    redis.call('RPUSH', key, text(number) .. ':' .. text(now) .. ':' .. text(cost))
  end
  redis.call('LSET', key, 0, text(sum + cost))
  expire(key, l.period)
end

-- A fixed window is a hash: the number of the window and what was used in it.
function fixed.used(key, l)
  local state = redis.call('HMGET', key, 'w', 'u')
  local number, rest = 0, -1
  if l.period > 0 then
    number = math.floor((now - l.start) / l.period)
    rest = l.start + (number + 1) * l.period - now
  end
  if state[1] ~= text(number) then return 0, number, rest end
  return tonumber(state[2]), number, rest
end

function fixed.room(key, l)
  local used, _, rest = fixed.used(key, l)
  return l.max - used, rest
end

function fixed.add(key, l)
  local used, number, rest = fixed.used(key, l)
  redis.call('HSET', key, 'w', text(number), 'u', text(used + cost))
  if rest > 0 then expire(key, rest) end
end

-- A bucket is a hash: its level, and when that was. It refills evenly.
function bucket.level(key, l)
  local state = redis.call('HMGET', key, 'l', 'a')
  if not state[1] then return l.max, now end
  local at = tonumber(state[2])
  local elapsed = math.max(now - at, 0)
  return math.min(tonumber(state[1]) + elapsed / l.period * l.max, l.max), math.max(now, at)
end

function bucket.room(key, l)
  local level = bucket.level(key, l)
  if cost > l.max then return math.floor(level), -1 end
  return math.floor(level), math.ceil(math.max(cost - level, 0) / l.max * l.period)
end

function bucket.add(key, l)
  local level, at = bucket.level(key, l)
  level = level - cost
  redis.call('HSET', key, 'l', string.format('%.17g', level), 'a', text(at))
  expire(key, (l.max - level) / l.max * l.period)
end

local kinds = {s = sliding, f = fixed, b = bucket}
local limits = {}
for i = 1, #KEYS do
  local a = 4 * i
  limits[i] = {kind = kinds[ARGV[a]], max = tonumber(ARGV[a + 1]), period = tonumber(ARGV[a + 2]), start = tonumber(ARGV[a + 3])}
end

local allowed, exceeded, left, wait = 1, 0, nil, 0
if mode ~= 'commit' then
  for i, key in ipairs(KEYS) do
    local room, until_room = limits[i].kind.room(key, limits[i])
    if room < cost then
      if allowed == 1 then allowed, exceeded = 0, i - 1 end
      if until_room < 0 or wait < 0 then wait = -1 else wait = math.max(wait, until_room, 1) end
    end
    room = math.max(room, 0)
    if not left or room < left then left = room end
  end
end
if mode == 'commit' or mode == 'take' and allowed == 1 then
  for i, key in ipairs(KEYS) do limits[i].kind.add(key, limits[i]) end
end
if allowed == 1 then left = math.max((left or 0) - cost, 0) end
return {allowed, exceeded, text(left), text(wait)}
