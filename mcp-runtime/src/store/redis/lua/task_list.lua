#!lua flags=allow-oom
-- Names the tasks of an owner in the order of their places. KEYS: the tasks by their places. ARGV: the place after which
-- to begin, how many.
return redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
