#!lua flags=allow-oom
-- Forgets streams of a session.
-- KEYS: the streams of the session, then each stream and its events. ARGV: for each stream its name and its bell.
for at = 1, #ARGV, 2 do
    redis.call('DEL', KEYS[at + 1], KEYS[at + 2])
    redis.call('ZREM', KEYS[1], ARGV[at])
    redis.pcall('PUBLISH', ARGV[at + 1], '')
end
return 0
