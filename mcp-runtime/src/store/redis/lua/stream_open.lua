#!lua
-- Makes a stream without events; one that is there stays as it is.
-- KEYS: the stream, its events, the streams of the session. ARGV: the stream's name, its lifetime in milliseconds.
if redis.call('EXISTS', KEYS[1]) == 1 then
    return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[1], 'last', '0', 'first', '1', 'bytes', '0', 'finished', '0')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
redis.call('ZADD', KEYS[3], now + tonumber(ARGV[2]), ARGV[1])
redis.call('PEXPIRE', KEYS[3], ARGV[2])
return 1
