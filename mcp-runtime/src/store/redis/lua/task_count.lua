#!lua flags=allow-oom
-- Counts the tasks of an owner whose time has not passed. KEYS: the tasks by their times.
local time = redis.call('TIME')
return redis.call('ZCOUNT', KEYS[1], '(' .. string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)), '+inf')
