#!lua
-- Puts a message at the end of a topic, and drops the oldest ones beyond the limit.
-- KEYS: the messages, the number of the last one dropped. ARGV: the message, how long the topic is kept in milliseconds,
-- how many messages there may be, the bell to ring.
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
-- The time in microseconds, so that numbers grow also when the topic was forgotten meanwhile, or one more than the last.
local time = redis.call('TIME')
local number = time[1] * 1000000 + time[2]
if last then
    number = math.max(number, tonumber(string.match(last[1], '^%d+')) + 1)
end
redis.call('XADD', KEYS[1], string.format('%.0f-0', number), 'm', ARGV[1])
while redis.call('XLEN', KEYS[1]) > tonumber(ARGV[3]) do
    local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1][1]
    redis.call('XDEL', KEYS[1], first)
    redis.call('SET', KEYS[2], string.match(first, '^%d+'))
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.pcall('PUBLISH', ARGV[4], '')
return 0
