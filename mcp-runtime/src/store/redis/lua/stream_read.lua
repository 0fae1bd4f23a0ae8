#!lua flags=allow-oom
-- Reads the events of a stream after a number. No read-only script, so that a replica, which may be behind, refuses it.
-- KEYS: the stream, its events. ARGV: the number, how many events.
-- Gives: the number before the first event given, whether some before it were dropped ('1'), whether nothing follows
-- these ('1'), and the events; nothing where the stream or the number is unknown.
local facts = redis.call('HMGET', KEYS[1], 'last', 'first', 'finished')
local after, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
if not facts[1] or after > tonumber(facts[1]) then
    return {}
end
local before = facts[2] - 1
local from = math.max(after, before)
local events = {}
if limit > 0 then
    events = redis.call('LRANGE', KEYS[2], from - before, from - before + limit - 1)
end
local ends = facts[3] == '1' and from + #events == tonumber(facts[1])
local answer = {string.format('%.0f', from), after < before and '1' or '0', ends and '1' or '0'}
for at = 1, #events do
    answer[at + 3] = events[at]
end
return answer
