-- When a session ends that is used now: as in the first migration, and a lifetime of zero is none to be renewed. Whoever looks
-- at a session that may not be his leaves it as it is.
CREATE OR REPLACE FUNCTION renewed(ends timestamptz, moment timestamptz, lifetime interval) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN lifetime = interval '0' OR ends - moment BETWEEN lifetime * 0.9 AND lifetime THEN ends
        ELSE moment + lifetime END
$$;
