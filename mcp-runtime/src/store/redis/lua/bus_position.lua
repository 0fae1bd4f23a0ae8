#!lua flags=allow-oom
-- The number of the last message of a topic. No read-only script, so that a replica, which may be behind, refuses it.
-- KEYS: the messages.
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
return last and string.match(last[1], '^%d+') or '0'
