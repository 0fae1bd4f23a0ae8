#!lua
-- Writes parts of a session, all or none.
-- KEYS: the record, the tombstone. ARGV: the operation, the owner ('' for nobody in particular), the idle lifetime in
-- milliseconds, then key, expected revision and value of each part.
if redis.call('EXISTS', KEYS[2]) == 1 then
    return 'gone'
end
local names = {'operations'}
for at = 4, #ARGV, 3 do
    names[#names + 1] = 'r:' .. ARGV[at]
end
local found = redis.call('HMGET', KEYS[1], unpack(names))
local operations = found[1] or ''
for at = 1, #operations, 16 do
    if string.sub(operations, at, at + 15) == ARGV[1] then
        return 'duplicate'
    end
end
for at = 2, #names do
    -- The expected revision of this part.
    if (found[at] or '0') ~= ARGV[at * 3 - 1] then
        return 'conflict'
    end
end
-- The last sixteen, the newest at the end.
local fields = {'operations', string.sub(operations .. ARGV[1], -256)}
if not found[1] then
    fields[3], fields[4] = 'owner', ARGV[2]
    if ARGV[2] ~= '' then
        local time = redis.call('TIME')
        fields[5], fields[6] = 'indexed', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
    end
end
for at = 4, #ARGV, 3 do
    local next = #fields
    fields[next + 1], fields[next + 2] = 'v:' .. ARGV[at], ARGV[at + 2]
    fields[next + 3], fields[next + 4] = 'r:' .. ARGV[at], string.format('%.0f', tonumber(ARGV[at + 1]) + 1)
end
redis.call('HSET', KEYS[1], unpack(fields))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 'saved'
