-- Charges hits, all or none within each group, or only looks at them.
-- KEYS: one for each hit; hits of a group stand together, the live ones before the dry runs.
-- ARGV: microseconds since the epoch (0: the server's), 1 to only look, then for each hit
--       algorithm, limit, interval, cost, whole, rest, group, 1 for a dry run.
-- Answer: the time, then four whole numbers for each hit: 0 refused, 1 charged, 2 room but not charged; and three
--         numbers as `decide` answers them.
local FIELDS = 8
local now = clock(ARGV[1])
local only_look = ARGV[2] == '1'
local answer = {now}
local live_refused = false
local states = {}

local function held(key)
    if states[key] == nil then
        states[key] = read(key) or false
    end
    return states[key] or nil
end

local function hit_at(place)
    local base = 2 + FIELDS * (place - 1)
    return {
        key = KEYS[place],
        decide = decide[ARGV[base + 1]],
        counts = ARGV[base + 1] ~= 'b',
        limit = tonumber(ARGV[base + 2]),
        interval = tonumber(ARGV[base + 3]),
        cost = tonumber(ARGV[base + 4]),
        whole = tonumber(ARGV[base + 5]),
        rest = tonumber(ARGV[base + 6]),
        group = ARGV[base + 7],
        dry = ARGV[base + 8] == '1',
    }
end

local function tell(flag, first, second, third)
    local size = #answer
    answer[size + 1], answer[size + 2], answer[size + 3], answer[size + 4] = flag, first, second, third
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
    elseif not charge(group) and not first.dry then
        live_refused = true
    end
end
return answer
