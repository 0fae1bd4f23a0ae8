#!lua flags=allow-oom
-- Removes a session and leaves a tombstone.
-- KEYS: the record, the tombstone. ARGV: how long the tombstone stands, in milliseconds.
-- Gives: the owner, if there was a record.
local owner = redis.call('HGET', KEYS[1], 'owner')
redis.call('DEL', KEYS[1])
local stands = redis.call('PTTL', KEYS[2])
if tonumber(ARGV[1]) > math.max(stands, 0) then
    redis.call('SET', KEYS[2], '', 'PX', ARGV[1])
end
return owner
