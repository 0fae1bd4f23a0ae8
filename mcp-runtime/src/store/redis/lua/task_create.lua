#!lua
-- Makes a task. KEYS: the task. ARGV: its owner, its place, the record, its time in milliseconds.
-- Gives: the owner of the task that has this name already, or nothing.
local owner = redis.call('HGET', KEYS[1], 'owner')
if owner then
    return owner
end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'place', ARGV[2], 'revision', '1', 'record', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return false
