#!lua
-- Gives a task its place among the owner's, or the one that it has, and forgets those whose time has passed.
-- KEYS: the tasks by their places, by their times. ARGV: the task, its time in milliseconds.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local passed = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 100)
if #passed > 0 then
    redis.call('ZREM', KEYS[1], unpack(passed))
    redis.call('ZREM', KEYS[2], unpack(passed))
end
local place = redis.call('ZSCORE', KEYS[1], ARGV[1])
if place then
    return string.format('%.0f', place)
end
-- The time in microseconds, or one more than the last where the clock went back.
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2] or 0
place = math.max(time[1] * 1000000 + time[2], last + 1)
redis.call('ZADD', KEYS[1], string.format('%.0f', place), ARGV[1])
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), ARGV[1])
for at = 1, 2 do
    if redis.call('PTTL', KEYS[at]) < tonumber(ARGV[2]) then
        redis.call('PEXPIRE', KEYS[at], ARGV[2])
    end
end
return string.format('%.0f', place)
