-- Notes a ban in the list of all, drops those that have ended, and has the list end with the last of them.
-- KEYS: the list. ARGV: microseconds (0: the server's), for how many, whom.
local now = clock(ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[2])), ARGV[3])
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(1, math.ceil((last - now) / 1000) + 1)))
return 1
