-- Takes charges back, as far as they still weigh.
-- KEYS: one for each charge. ARGV: microseconds (0: the server's), then for each charge, packed,
--       limit, interval, cost, whole, rest, the time it was made at, the letter of the algorithm.
local CHARGE = '<ddddddc1'
local now = clock(ARGV[1])

local refund = {}

-- Each answers the new state and its expiry, or nil where nothing is left.

function refund.f(state, hit)
    if not is_pair(state, 'f') then
        return state, nil
    end
    local ending, count = struct.unpack(PAIR, state, 2)
    if hit.at < ending - hit.interval or hit.at >= ending then
        return state, nil
    end
    if count - hit.cost <= 0 then
        return nil
    end
    return pair('f', ending, count - hit.cost), ending
end

-- What of the charge has flowed back by itself since is not given a second time.
function refund.t(state, hit)
    if not is_pair(state, 't') then
        return state, nil
    end
    local whole, rest = debt_of(state, hit, now)
    local given = hit.whole - math.max(0, now - hit.at)
    if given < 0 then
        return state, nil
    end
    whole, rest = whole - given, rest - hit.rest
    if rest < 0 then
        whole, rest = whole - 1, rest + hit.limit
    end
    if whole < 0 or (whole == 0 and rest == 0) then
        return nil
    end
    return pair('t', now + whole, rest), now + whole + 1
end

local function times_of(state)
    local times = {}
    for group = 1, (#state - HEAD) / 8 do
        times[group] = time_at(state, group)
    end
    return times
end

-- The units are taken from the first group that can hold them; later units move up to a time not before their own.
function refund.s(state, hit)
    if not state or #state <= HEAD or string.sub(state, 1, 1) ~= 's' or hit.at + hit.interval <= now then
        return state, nil
    end
    local _, newest = struct.unpack(PAIR, state, 2)
    local times, size = times_of(state), math.ceil(hit.limit / GROUPS)
    if newest > size then
        return state, nil
    end
    local before = 0
    while before < #times and times[before + 1] < hit.at do
        before = before + 1
    end
    local start, units = before * size, (#times - 1) * size + newest
    local taken = math.max(0, math.min(hit.cost, units - start))
    units = units - taken
    if units <= 0 then
        return nil
    end
    local groups = math.ceil(units / size)
    local moved = {}
    for group = 1, groups do
        local last = math.min(group * size, units) - 1
        if last >= start then
            last = last + taken
        end
        moved[group] = times[math.floor(last / size) + 1]
    end
    local new = pair('s', moved[groups] + hit.interval, units - (groups - 1) * size)
    for group = 1, groups do
        new = new .. struct.pack(ONE, moved[group])
    end
    return new, moved[groups] + hit.interval
end

for place, key in ipairs(KEYS) do
    local hit, letter = {}, nil
    hit.limit, hit.interval, hit.cost, hit.whole, hit.rest, hit.at, letter = struct.unpack(CHARGE, ARGV[place + 1])
    local state = read(key)
    local new, expiry = refund[letter](state, hit)
    if state and not new then
        redis.call('DEL', key)
    elseif expiry then
        keep(key, new, expiry, now)
    end
end
return #KEYS
