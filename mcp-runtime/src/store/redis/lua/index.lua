#!lua
-- Puts a name into the index of an owner, and takes out those whose time has passed.
-- KEYS: the names in their order, their times. ARGV: the name, how long it stays without being put in again, in
-- milliseconds.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local passed = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 100)
if #passed > 0 then
    redis.call('ZREM', KEYS[1], unpack(passed))
    redis.call('ZREM', KEYS[2], unpack(passed))
end
redis.call('ZADD', KEYS[1], 0, ARGV[1])
redis.call('ZADD', KEYS[2], now + tonumber(ARGV[2]), ARGV[1])
for at = 1, 2 do
    if redis.call('PTTL', KEYS[at]) < tonumber(ARGV[2]) then
        redis.call('PEXPIRE', KEYS[at], ARGV[2])
    end
end
return 0
