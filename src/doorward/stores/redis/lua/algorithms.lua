-- The algorithms of doorward/stores/algorithms.py, state for state and rule for rule; read the theory there.
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

local GROUPS = 32
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

local function time_at(state, group)
    return (struct.unpack(ONE, state, HEAD + 8 * (group - 1) + 1))
end

-- Whether an end lies ahead, and not so far that it was written before the clock stepped back.
local function is_live(ending, interval, now)
    return ending > now and ending - now <= 2 * interval
end

local decide = {}

-- Each answers: the new state (nil: refused) and its expiry, then three numbers for the verdict.
-- f, s, b: units left, microseconds to the reset, microseconds to retry.

function decide.f(state, hit, cost, now)
    local count, ending = 0, now - math.fmod(now, hit.interval) + hit.interval
    if is_pair(state, 'f') then
        local known, counted = struct.unpack(PAIR, state, 2)
        if is_live(known, hit.interval, now) then
            count, ending = counted, known
        end
    end
    local left = hit.limit - count
    if cost > left then
        return nil, 0, math.max(0, left), ending - now, count > 0 and ending - now or 0
    end
    return pair('f', ending, count + cost), ending, left - cost, ending - now, 0
end

-- The debt of a bucket, what is missing to full: whole microseconds, and a rest in 1/limit of one.
local function debt_of(state, hit, now)
    if is_pair(state, 't') then
        local full, rest = struct.unpack(PAIR, state, 2)
        if full - now >= 0 and full - now <= 2 * hit.interval then
            return full - now, math.min(rest, hit.limit - 1)
        end
    end
    return 0, 0
end

-- t: the debt (after the charge, if it was made). hit.whole and hit.rest are what the cost adds to it.
function decide.t(state, hit, cost, now)
    local whole, rest = debt_of(state, hit, now)
    if cost == 0 then
        return state, 0, whole, rest, 0
    end
    local new_whole, new_rest = whole + hit.whole, rest + hit.rest
    if new_rest >= hit.limit then
        new_whole, new_rest = new_whole + 1, new_rest - hit.limit
    end
    if new_whole > hit.interval or (new_whole == hit.interval and new_rest > 0) then
        return nil, 0, whole, rest, 0
    end
    return pair('t', now + new_whole, new_rest), now + new_whole + 1, new_whole, new_rest, 0
end

local function first_groups(hit, cost, now)
    if cost > hit.limit or cost == 0 then
        return nil, 0, hit.limit, 0, 0
    end
    local size = math.ceil(hit.limit / GROUPS)
    local full = math.floor((cost - 1) / size)
    local state = pair('s', now + hit.interval, cost - full * size) .. string.rep(struct.pack(ONE, now), full + 1)
    return state, now + hit.interval, hit.limit - cost, hit.interval, 0
end

function decide.s(state, hit, cost, now)
    if not state or #state <= HEAD or string.sub(state, 1, 1) ~= 's' then
        return first_groups(hit, cost, now)
    end
    local interval, limit = hit.interval, hit.limit
    local expiry, newest = struct.unpack(PAIR, state, 2)
    if not is_live(expiry, interval, now) then
        return first_groups(hit, cost, now)
    end
    local ahead = expiry - now
    local at = ahead <= interval and now or expiry - interval
    local groups, start = (#state - HEAD) / 8, 1
    while start < groups and time_at(state, start) <= at - interval do
        start = start + 1
    end
    local size = math.ceil(limit / GROUPS)
    local left = limit - (groups - start) * size - newest
    if cost > left then
        if left < 0 or cost > limit then
            return nil, 0, math.max(0, left), ahead, ahead
        end
        local last_to_go = math.min(start + math.floor((cost - left - 1) / size), groups)
        return nil, 0, left, ahead, time_at(state, last_to_go) + interval - now
    end
    if cost == 0 then
        return state, expiry, left, ahead, 0
    end
    local kept_to = #state
    if newest < size then
        kept_to = kept_to - 8
    else
        newest = 0
    end
    local kept = string.sub(state, HEAD + 8 * (start - 1) + 1, kept_to)
    local full = math.floor((newest + cost - 1) / size)
    local new = pair('s', at + interval, newest + cost - full * size) .. kept
        .. string.rep(struct.pack(ONE, at), full + 1)
    return new, at + interval, left - cost, at + interval - now, 0
end

function decide.b(state, hit, _, now)
    local left = 0
    if state and #state == 9 and string.sub(state, 1, 1) == 'b' then
        left = math.max(0, struct.unpack(ONE, state, 2) - now)
    end
    if left > 0 then
        return nil, 0, 0, left, left
    end
    return '', 0, hit.limit, 0, 0
end

-- Nothing is kept for ever. A millisecond more, since the server rounds; a state outlives its expiry harmlessly.
local function keep(key, state, expiry, now)
    redis.call('SET', key, state, 'PX', string.format('%.0f', math.max(1, math.ceil((expiry - now) / 1000) + 1)))
end
