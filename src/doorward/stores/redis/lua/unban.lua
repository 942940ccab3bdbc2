-- Lifts a ban. KEYS: the ban. ARGV: microseconds (0: the server's). Answer: 1 if there was one.
local now = clock(ARGV[1])
local lifted = decide.b(read(KEYS[1]), {limit = 1}, 0, now) == nil
redis.call('DEL', KEYS[1])
return lifted and 1 or 0
