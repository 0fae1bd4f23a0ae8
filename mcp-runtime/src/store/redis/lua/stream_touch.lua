#!lua flags=allow-oom
-- Keeps a stream for its whole lifetime.
-- KEYS: the stream, its events, the streams of the session. ARGV: the stream's name, its lifetime in milliseconds.
if redis.call('EXISTS', KEYS[1]) == 0 then
    return 0
end
local time = redis.call('TIME')
redis.call('ZADD', KEYS[3], time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[2]), ARGV[1])
for at = 1, 3 do
    redis.call('PEXPIRE', KEYS[at], ARGV[2])
end
return 1
