#!lua
-- Who the store is. The first who asks decides.
-- KEYS: the identity. ARGV: a random one.
local identity = redis.call('GET', KEYS[1])
if not identity then
    redis.call('SET', KEYS[1], ARGV[1])
    identity = ARGV[1]
end
return identity
