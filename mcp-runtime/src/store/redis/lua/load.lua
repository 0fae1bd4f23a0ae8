#!lua flags=allow-oom
-- Reads parts of a session and renews its lifetime once a tenth of it has passed, so that reads need not write.
-- KEYS: the record, the tombstone. ARGV: the idle lifetime in milliseconds, 0 to leave it as it is, then the keys of the
-- parts.
-- Gives: presence, the owner if its index is to be told that the session is still there (or ''), and for each part its
-- value and revision.
if redis.call('EXISTS', KEYS[2]) == 1 then
    return {'gone'}
end
local idle = tonumber(ARGV[1])
local names = {'owner', 'indexed'}
for at = 2, #ARGV do
    names[#names + 1] = 'v:' .. ARGV[at]
    names[#names + 1] = 'r:' .. ARGV[at]
end
local found = redis.call('HMGET', KEYS[1], unpack(names))
if not found[1] then
    return {'absent'}
end
if idle > 0 and redis.call('PTTL', KEYS[1]) <= idle * 0.9 then
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
local due = ''
if idle > 0 and found[2] then
    local time = redis.call('TIME')
    local now = time[1] * 1000 + math.floor(time[2] / 1000)
    if now - tonumber(found[2]) >= idle / 4 then
        redis.call('HSET', KEYS[1], 'indexed', string.format('%.0f', now))
        due = found[1]
    end
end
local answer = {'live', due}
for at = 3, #names do
    answer[at] = found[at]
end
return answer
