-- Fixed windows, aligned to the clock.
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
