#!lua flags=allow-oom
-- Removes a task. KEYS: the task. ARGV: the bell to ring. Gives: its owner, if it was there.
local owner = redis.call('HGET', KEYS[1], 'owner')
redis.call('DEL', KEYS[1])
redis.pcall('PUBLISH', ARGV[1], '')
return owner
