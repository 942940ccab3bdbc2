-- Bans. KEYS: the ban. ARGV: microseconds (0: the server's), for how many. Answer: until when.
local now = clock(ARGV[1])
local ending = now + tonumber(ARGV[2])
keep(KEYS[1], 'b' .. struct.pack(ONE, ending), ending, now)
return ending
