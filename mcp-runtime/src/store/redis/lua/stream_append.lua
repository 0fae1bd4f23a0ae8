#!lua
-- Puts an event at the end of a stream, and drops the oldest ones beyond the limits.
-- KEYS: the stream, its events, the streams of the session. ARGV: the stream's name, its lifetime in milliseconds, the
-- event, whether it is the last one ('1'), what all events may cost, what an event costs besides its bytes, how many
-- events there may be, the bell to ring.
-- Gives: the number of the event, 0 where there is no such stream, or it has ended.
local facts = redis.call('HMGET', KEYS[1], 'last', 'first', 'bytes', 'finished')
if not facts[1] or facts[4] == '1' then
    return 0
end
local number, first = facts[1] + 1, tonumber(facts[2])
local bytes = facts[3] + #ARGV[3] + ARGV[6]
redis.call('RPUSH', KEYS[2], ARGV[3])
while first < number and (bytes > tonumber(ARGV[5]) or number - first + 1 > tonumber(ARGV[7])) do
    bytes = bytes - #redis.call('LPOP', KEYS[2]) - ARGV[6]
    first = first + 1
end
redis.call('HSET', KEYS[1], 'last', string.format('%.0f', number), 'first', string.format('%.0f', first),
    'bytes', string.format('%.0f', bytes), 'finished', ARGV[4])
local time = redis.call('TIME')
redis.call('ZADD', KEYS[3], time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[2]), ARGV[1])
for at = 1, 3 do
    redis.call('PEXPIRE', KEYS[at], ARGV[2])
end
-- Whoever may not publish is heard later.
redis.pcall('PUBLISH', ARGV[8], '')
return number
