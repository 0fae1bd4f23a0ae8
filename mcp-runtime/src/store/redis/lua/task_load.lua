#!lua flags=allow-oom
-- Reads a task. No read-only script, so that a replica, which may be behind, refuses it. KEYS: the task.
return redis.call('HMGET', KEYS[1], 'owner', 'place', 'revision', 'record')
