-- Counts guesses at secrets. KEYS: counters, in one slot. ARGV: what is to be done, now in
-- milliseconds, then per counter: max, window, lock and lease in milliseconds, and 1 where
-- the counter is to be forgotten. "reserve" returns for each counter how many milliseconds
-- it refuses, and takes an attempt of each if none does. "fail" and "release" settle one.
--
-- A counter is a hash: failures, "ends" (of their window), leases, "until" (of the latest
-- lease), "locked" (until when).
local now = tonumber(ARGV[2])
local rows, waits, refused = {}, {}, false

for i, key in ipairs(KEYS) do
  local at = 2 + (i - 1) * 5
  local h = redis.call('HMGET', key, 'failures', 'ends', 'leases', 'until', 'locked')
  local r = {failures = tonumber(h[1] or 0), ends = tonumber(h[2] or 0), leases = tonumber(h[3] or 0),
    lease = tonumber(h[4] or 0), locked = tonumber(h[5] or 0), max = tonumber(ARGV[at + 1]),
    window = tonumber(ARGV[at + 2]), lock = tonumber(ARGV[at + 3]), life = tonumber(ARGV[at + 4]), forget = ARGV[at + 5] == '1'}
  rows[i] = r
  if ARGV[1] == 'reserve' then
    if r.locked > 0 and r.locked <= now then
      r.failures, r.ends, r.locked = 0, 0, 0
    end
    if r.ends <= now then
      r.failures, r.ends = 0, now + r.window
    end
    if r.lease <= now then
      r.leases = 0
    end
    waits[i] = 0
    if r.locked > now then
      waits[i] = r.locked - now
    elseif r.failures + r.leases >= r.max then
      waits[i] = r.life
    end
    refused = refused or waits[i] > 0
  end
end
if refused then
  return waits
end

for i, key in ipairs(KEYS) do
  local r = rows[i]
  if ARGV[1] == 'reserve' then
    r.leases, r.lease = r.leases + 1, now + r.life
  else
    r.leases = math.max(r.leases - 1, 0)
    if ARGV[1] == 'fail' then
      r.failures = r.failures + 1
      if r.ends == 0 then
        r.ends = now + r.window
      end
      if r.locked == 0 and r.failures >= r.max then
        r.locked = now + r.lock
      end
    elseif r.forget then
      r.failures, r.ends, r.locked = 0, 0, 0
    end
  end
  if r.failures == 0 and r.leases == 0 and r.locked == 0 then
    redis.call('DEL', key)
  else
    redis.call('HSET', key, 'failures', r.failures, 'ends', string.format('%.0f', r.ends), 'leases', r.leases,
      'until', string.format('%.0f', r.lease), 'locked', string.format('%.0f', r.locked))
    redis.call('PEXPIRE', key, r.window + r.lock + r.life)
  end
end
return waits
