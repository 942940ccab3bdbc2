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
