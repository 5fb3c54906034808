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
local limit, mark = tonumber(ARGV[2]), tonumber(ARGV[3])
local good = version + limit
local stamp = string.format('%.0f', good)

-- Several may block a subject at once, and the last need not be the last to end. Beside the
-- subject, which is what readers look at, each block that holds has a place of its own, with
-- its mark: 'subject!1' and so on. What finds no place goes into 'subject!', where the latest
-- end is kept: it is lifted by time alone.
local places = 8
for i = 4, #ARGV do
  local subject = ARGV[i]
  local names = {subject, subject .. '!'}
  for k = 1, places do
    names[k + 2] = subject .. '!' .. k
  end
  local scores = redis.call('ZMSCORE', KEYS[1], unpack(names))
  local old, own, rest = tonumber(scores[1] or 0), nil, tonumber(scores[2] or 0)
  for k = 3, #names do
    local ends = tonumber(scores[k] or 0)
    if not own and (limit > 0 and ends <= version or limit == 0 and ends == mark and mark > 0) then
      own = names[k]
    else
      rest = math.max(rest, ends)
    end
  end
  if limit > 0 then
    redis.call('ZADD', KEYS[1], string.format('%.0f', own and good or math.max(rest, good)), own or names[2])
  elseif own then
    redis.call('ZREM', KEYS[1], own)
    old = rest -- this block is lifted, the others hold on
  end
  redis.call('ZADD', KEYS[1], string.format('%.0f', math.max(old, good)), subject)
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return stamp
