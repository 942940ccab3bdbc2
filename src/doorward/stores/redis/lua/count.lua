-- Charges hits, all or none within each group, or only looks at them.
-- KEYS: one for each hit; hits of a group stand together, the live ones before the dry runs.
-- ARGV: microseconds since the epoch (0: the server's); 1 to only look, 2 where all are live, of one group, and bans but
--       for the last, which is none; then for each hit, packed,
--       limit, interval, cost, whole, rest, group, 1 for a dry run, the letter of the algorithm.
-- Answer: packed, the time, then for each hit 0 refused, 1 charged, 2 room but not charged; and three numbers as
--         `decide` answers them.
local HIT = '<dddddI4Bc1'
local VERDICT = '<Bddd'
local now = clock(ARGV[1])

local function hit_at(place)
    local hit = {key = KEYS[place]}
    local letter
    hit.limit, hit.interval, hit.cost, hit.whole, hit.rest, hit.group, hit.dry, letter = struct.unpack(HIT, ARGV[place + 2])
    hit.decide = decide[letter]
    hit.counts = letter ~= 'b'
    return hit
end

-- What nearly every request asks for: whether the client is banned, which it is not, and one limit.
if ARGV[2] == '2' and (#KEYS == 1 or redis.call('EXISTS', unpack(KEYS, 1, #KEYS - 1)) == 0) then
    local hit = hit_at(#KEYS)
    local new, expiry, first, second, retry = hit.decide(read(hit.key), hit, hit.cost, now)
    if new then
        keep(hit.key, new, expiry, now)
    end
    local unbanned = string.rep(struct.pack(VERDICT, 2, 1, 0, 0), #KEYS - 1)
    return struct.pack(ONE, now) .. unbanned .. struct.pack(VERDICT, new and 1 or 0, first, second, retry)
end

local only_look = ARGV[2] == '1'
local answer = {struct.pack(ONE, now)}
local live_refused = false
local states = {}

local function held(key)
    if states[key] == nil then
        states[key] = read(key) or false
    end
    return states[key] or nil
end

local function tell(flag, first, second, third)
    answer[#answer + 1] = struct.pack(VERDICT, flag, first, second, third)
end

local function look(hit)
    local state = held(hit.key)
    local new, _, _, _, retry = hit.decide(state, hit, hit.cost, now)
    local _, _, first, second = hit.decide(state, hit, 0, now)
    tell(new and 2 or 0, first, second, retry)
end

local function charge(group)
    local charged, outcomes, room = {}, {}, true
    for place, hit in ipairs(group) do
        local state = charged[hit.key] and charged[hit.key][1] or held(hit.key)
        local outcome = {hit.decide(state, hit, hit.cost, now)}
        outcomes[place] = outcome
        if not outcome[1] then
            room = false
        elseif hit.counts then
            charged[hit.key] = outcome
        end
    end
    for place, hit in ipairs(group) do
        local outcome = outcomes[place]
        if outcome[1] and not room then
            look(hit)
        else
            tell(outcome[1] and 1 or 0, outcome[3], outcome[4], outcome[5])
        end
    end
    if room then
        for key, outcome in pairs(charged) do
            keep(key, outcome[1], outcome[2], now)
            states[key] = outcome[1]
        end
    end
    return room
end

local place = 1
while place <= #KEYS do
    local group = {hit_at(place)}
    local first = group[1]
    place = place + 1
    while place <= #KEYS do
        local hit = hit_at(place)
        if hit.group ~= first.group or hit.dry ~= first.dry then
            break
        end
        group[#group + 1] = hit
        place = place + 1
    end
    if only_look or live_refused then
        for _, hit in ipairs(group) do
            look(hit)
        end
    elseif not charge(group) and first.dry == 0 then
        live_refused = true
    end
end
return table.concat(answer)
