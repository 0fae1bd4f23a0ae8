#!lua flags=allow-oom
-- A page of the index of an owner. No read-only script, so that a replica, which may be behind, refuses it.
-- KEYS: the names in their order. ARGV: where to begin, as ZRANGEBYLEX has it, and how many names.
return redis.call('ZRANGEBYLEX', KEYS[1], ARGV[1], '+', 'LIMIT', 0, ARGV[2])
