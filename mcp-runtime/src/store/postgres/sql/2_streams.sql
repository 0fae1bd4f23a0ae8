-- The streams of sessions. Whoever writes to a stream holds the lock of its row.
CREATE TABLE streams (
    session bytea,
    stream bytea,
    -- The number of the last event, and of the first that is kept.
    last bigint NOT NULL DEFAULT 0,
    first bigint NOT NULL DEFAULT 1,
    -- What the events that are kept cost.
    cost bigint NOT NULL DEFAULT 0,
    finished boolean NOT NULL DEFAULT false,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (session, stream)
) WITH (fillfactor = 70);

CREATE INDEX streams_by_end ON streams (expires_at);

CREATE TABLE events (
    session bytea,
    stream bytea,
    number bigint,
    content bytea NOT NULL,
    PRIMARY KEY (session, stream, number)
);

-- Makes a stream without events; one that is there stays as it is. The lifetime is in milliseconds.
CREATE FUNCTION stream_open(asked_session bytea, asked_stream bytea, lifetime bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
BEGIN
    INSERT INTO streams (session, stream, expires_at)
    VALUES (asked_session, asked_stream, moment + lifetime * interval '1 millisecond')
    ON CONFLICT (session, stream) DO UPDATE
    SET last = 0, first = 1, cost = 0, finished = false, expires_at = excluded.expires_at
    WHERE streams.expires_at <= moment;
    IF FOUND THEN
        -- Of one whose time had passed.
        DELETE FROM events WHERE session = asked_session AND stream = asked_stream;
    END IF;
END
$$;

-- Puts an event at the end of a stream, and drops the oldest ones beyond the limits. Gives the number of the event, 0 where
-- there is no such stream, or it has ended.
CREATE FUNCTION stream_append(
    asked_session bytea, asked_stream bytea, event bytea, is_last boolean, lifetime bigint,
    most_cost bigint, cost_of_one bigint, most_events bigint
) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    present streams;
    moment timestamptz;
    size bigint;
BEGIN
    SELECT * INTO present FROM streams WHERE session = asked_session AND stream = asked_stream FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    moment := clock_timestamp();
    IF present.finished OR present.expires_at <= moment THEN
        RETURN 0;
    END IF;
    present.last := present.last + 1;
    present.cost := present.cost + octet_length(event) + cost_of_one;
    INSERT INTO events (session, stream, number, content) VALUES (asked_session, asked_stream, present.last, event);
    WHILE present.first < present.last
        AND (present.cost > most_cost OR present.last - present.first + 1 > most_events)
    LOOP
        DELETE FROM events
        WHERE session = asked_session AND stream = asked_stream AND number = present.first
        RETURNING octet_length(content) INTO size;
        present.cost := present.cost - size - cost_of_one;
        present.first := present.first + 1;
    END LOOP;
    UPDATE streams
    SET last = present.last, first = present.first, cost = present.cost, finished = is_last,
        expires_at = renewed(present.expires_at, moment, lifetime * interval '1 millisecond')
    WHERE session = asked_session AND stream = asked_stream;
    RETURN present.last;
END
$$;

-- Forgets the streams of a session; gives their names.
CREATE FUNCTION stream_drop(asked_session bytea) RETURNS bytea[]
LANGUAGE plpgsql AS $$
DECLARE
    dropped bytea[];
BEGIN
    WITH removed AS (DELETE FROM streams WHERE session = asked_session RETURNING stream)
    SELECT coalesce(array_agg(stream), '{}') INTO dropped FROM removed;
    DELETE FROM events WHERE session = asked_session AND stream = ANY (dropped);
    RETURN dropped;
END
$$;

-- Forgets at most so many streams whose time has passed, leaving those that somebody else works on. Gives their number.
CREATE FUNCTION stream_sweep(most bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    sessions_dropped bytea[];
    streams_dropped bytea[];
BEGIN
    WITH passed AS (
        SELECT session, stream FROM streams WHERE expires_at <= moment
        ORDER BY expires_at LIMIT most FOR UPDATE SKIP LOCKED
    ), removed AS (
        DELETE FROM streams USING passed
        WHERE streams.session = passed.session AND streams.stream = passed.stream
        RETURNING streams.session, streams.stream
    )
    SELECT coalesce(array_agg(session), '{}'), coalesce(array_agg(stream), '{}')
    INTO sessions_dropped, streams_dropped FROM removed;
    DELETE FROM events USING unnest(sessions_dropped, streams_dropped) AS dropped (session, stream)
    WHERE events.session = dropped.session AND events.stream = dropped.stream;
    RETURN cardinality(streams_dropped);
END
$$;
