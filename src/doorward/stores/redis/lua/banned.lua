-- Bans: refused until they end.
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
