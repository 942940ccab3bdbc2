-- Who is banned, a piece at a time. KEYS: the list. ARGV: microseconds (0: the server's), the first, how many.
-- Answer: the time, then whom and until when in turn.
local now = clock(ARGV[1])
local found = redis.call('ZRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf', 'WITHSCORES',
    'LIMIT', ARGV[2], ARGV[3])
table.insert(found, 1, string.format('%.0f', now))
return found
