-- Adds to a sum that sinks to nothing within a window: the current and the former half window, aligned to the clock.
-- KEYS: the sum. ARGV: microseconds (0: the server's), weight, window. Answer: the new sum, as text.
-- State: the letter w, the number of the current half window, what fell into it, what fell into the one before.
local now = clock(ARGV[1])
local half = math.max(1, math.floor(tonumber(ARGV[3]) / 2))
local number = math.floor(now / half)
local current, former = 0, 0
local state = read(KEYS[1])
if state and #state == 25 and string.sub(state, 1, 1) == 'w' then
    local known, held, before = struct.unpack('<ddd', state, 2)
    if known == number then
        current, former = held, before
    elseif known == number - 1 then
        former = held
    end
end
current = current + tonumber(ARGV[2])
keep(KEYS[1], 'w' .. struct.pack('<ddd', number, current, former), (number + 2) * half, now)
return string.format('%.17g', current + former)
