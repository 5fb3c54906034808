-- Makes copies of sessions void, see read.lua. KEYS: the epochs. ARGV: how long epochs are
-- kept in milliseconds, the length of a block in microseconds or 0 to end one, its mark or
-- 0, then subjects. Returns the mark of a block, else the version.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local last = redis.call('ZSCORE', KEYS[1], '!last')
-- Above every version that was given away, also if the server's clock was set back.
local version = math.max(now, last and -tonumber(last) or 0) + 1
local text = string.format('%.0f', version)
if not redis.call('ZSCORE', KEYS[1], '!born') then
  redis.call('ZADD', KEYS[1], '-' .. text, '!born')
end
redis.call('ZADD', KEYS[1], '-' .. text, '!last')
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, string.format('%.0f', now - ARGV[1] * 1000))
local good = version + ARGV[2]
local mark = tonumber(ARGV[3])
for i = 4, #ARGV do
  local old = redis.call('ZSCORE', KEYS[1], ARGV[i])
  old = old and tonumber(old)
  -- Somebody else's later block holds on; the one that ends is lifted.
  if not old or old < good or old == mark then
    redis.call('ZADD', KEYS[1], string.format('%.0f', good), ARGV[i])
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return string.format('%.0f', good)
