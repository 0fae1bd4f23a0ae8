#!lua
-- Replaces the record of a task. KEYS: the task. ARGV: the revision expected, the record, the bell to ring.
local revision = redis.call('HGET', KEYS[1], 'revision')
if not revision then
    return 'gone'
end
if revision ~= ARGV[1] then
    return 'conflict'
end
redis.call('HSET', KEYS[1], 'revision', string.format('%.0f', revision + 1), 'record', ARGV[2])
redis.pcall('PUBLISH', ARGV[3], '')
return 'saved'
