-- Keeps a copy of a session, see read.lua. KEYS: the copy, the epochs. ARGV: how long
-- epochs are kept in milliseconds, the version, how old that may be in microseconds, the
-- subjects apart by spaces, the data, its life in milliseconds. Returns 1 if it is kept.
local version = tonumber(ARGV[2])
local born = redis.call('ZSCORE', KEYS[2], '!born')
local time = redis.call('TIME')
if not born or version < -tonumber(born) or version < time[1] * 1000000 + time[2] - ARGV[3] then
  return 0
end
for subject in string.gmatch(ARGV[4], '%S+') do
  local since = redis.call('ZSCORE', KEYS[2], subject)
  if since and tonumber(since) > version then
    return 0
  end
end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'subjects', ARGV[4], 'data', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return 1
