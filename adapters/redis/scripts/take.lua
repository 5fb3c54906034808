-- Counts one request. KEYS: the counter. ARGV: now and window in milliseconds, max.
-- Returns 0 if it is allowed, else after how many milliseconds it may be tried again.
local now, window, max = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local row = redis.call('HMGET', KEYS[1], 'count', 'last')
local count, last = tonumber(row[1] or 0), tonumber(row[2] or 0)
local since = now - last
if count > 0 and since < window and since >= -window then
  if count >= max then
    return math.min(window - since, window)
  end
else
  count = 0
end
redis.call('HSET', KEYS[1], 'count', count + 1, 'last', ARGV[1])
-- Twice the window: another replica's clock may be behind by one.
redis.call('PEXPIRE', KEYS[1], 2 * window)
return 0
