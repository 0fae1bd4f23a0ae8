#!lua flags=allow-oom
-- Reads the messages of a topic after a number. No read-only script, so that a replica, which may be behind, refuses it.
-- KEYS: the messages, the number of the last one dropped. ARGV: the number, how many messages.
-- Gives: whether some after the number were dropped ('1'), then number and message of each.
local dropped = redis.call('GET', KEYS[2]) or '0'
local answer = {tonumber(ARGV[1]) < tonumber(dropped) and '1' or '0'}
if tonumber(ARGV[2]) > 0 then
    for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '(' .. ARGV[1] .. '-0', '+', 'COUNT', ARGV[2])) do
        answer[#answer + 1] = string.match(entry[1], '^%d+')
        answer[#answer + 1] = entry[2][2]
    end
end
return answer
