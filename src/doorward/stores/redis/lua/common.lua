-- What all scripts share. Behind it comes each algorithm that the script is asked about, then the script itself.
--
-- The algorithms are those of doorward/stores/algorithms.py, rule for rule; read the theory there.
--
-- Lua's numbers are doubles: whole numbers up to 2^53 are exact, and nothing here goes beyond. Times are whole
-- microseconds since the epoch (under 2^51), limits and costs under 10^15. What would need longer products, the
-- remainder of a bucket, is worked out by the caller from the state that is handed back.
--
-- A state is a string: a letter for the algorithm, then doubles. What is none, or another algorithm's, counts as none.
--   fixed window    f  end of the window, count
--   token bucket    t  time at which the bucket is full, in whole microseconds, and a rest in 1/limit of one
--   sliding window  s  expiry, units in the newest group, times of the groups (at most 33), oldest first
--   ban             b  end

local PAIR = '<dd'
local ONE = '<d'
local HEAD = 17

local function clock(given)
    local now = tonumber(given)
    if now > 0 then
        return now
    end
    local time = redis.call('TIME')
    return time[1] * 1000000 + time[2]
end

local function read(key)
    return redis.call('GET', key) or nil
end

local function is_pair(state, letter)
    return state and #state == HEAD and string.sub(state, 1, 1) == letter
end

local function pair(letter, first, second)
    return letter .. struct.pack(PAIR, first, second)
end

-- Whether an end lies ahead, and not so far that it was written before the clock stepped back.
local function is_live(ending, interval, now)
    return ending > now and ending - now <= 2 * interval
end

-- Nothing is kept for ever. A millisecond more, since the server rounds; a state outlives its expiry harmlessly. An hour
-- more where the time is given, of which the server's own expiry knows nothing.
local MORE = ARGV[1] == '0' and 1 or 3600000

local function keep(key, state, expiry, now)
    redis.call('SET', key, state, 'PX', string.format('%.0f', math.max(1, math.ceil((expiry - now) / 1000) + MORE)))
end

local decide = {}

-- Each `decide` answers: the new state (nil: refused) and its expiry, then three numbers for the verdict.
-- f, s, b: units left, microseconds to the reset, microseconds to retry. t: as said there.
