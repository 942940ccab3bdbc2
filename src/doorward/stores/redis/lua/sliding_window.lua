-- Sliding windows: a log of admissions in at most 32 groups, of which only the newest may be partial.
local GROUPS = 32

local function time_at(state, group)
    return (struct.unpack(ONE, state, HEAD + 8 * (group - 1) + 1))
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
