-- Reads a copy of a session. KEYS: the copy, the epochs. ARGV: how long epochs are kept, in
-- milliseconds. Returns {1, data}, or {0, version} where there is none.
--
-- The epochs are one sorted set. Its members are subjects, with the version from which on
-- copies are good, the blocks that hold (void.lua), and two of its own, which are negative so that they are not cleared
-- away: '!born', from when on the set knows everything, and '!last', the highest version
-- that was given away. Whoever loses the set loses '!born', and so every copy.
local born = redis.call('ZSCORE', KEYS[2], '!born')
if born then
  local copy = redis.call('HMGET', KEYS[1], 'version', 'subjects', 'data')
  if copy[1] then
    local version = tonumber(copy[1])
    local good = version >= -tonumber(born)
    for subject in string.gmatch(copy[2], '%S+') do
      local since = redis.call('ZSCORE', KEYS[2], subject)
      good = good and not (since and tonumber(since) > version)
    end
    if good then
      return {1, copy[3]}
    end
    redis.call('DEL', KEYS[1])
  end
end
local time = redis.call('TIME')
local last = redis.call('ZSCORE', KEYS[2], '!last')
local version = math.max(time[1] * 1000000 + time[2], last and -tonumber(last) or 0)
local text = string.format('%.0f', version)
if not born then
  redis.call('ZADD', KEYS[2], '-' .. text, '!born')
end
redis.call('ZADD', KEYS[2], '-' .. text, '!last')
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return {0, text}
