#!lua flags=allow-oom
-- Takes a name out of the index of an owner.
-- KEYS: the names in their order, their times. ARGV: the name.
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 0
