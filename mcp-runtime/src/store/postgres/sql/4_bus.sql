-- The topics of the bus. Whoever publishes holds the lock of the topic's row until the message can be seen, so that messages
-- are seen in the order of their numbers and no reader passes one by.
CREATE TABLE topics (
    -- The name of an instance; empty for everyone.
    topic bytea PRIMARY KEY,
    -- The numbers of the last message and of the last that was dropped.
    last bigint NOT NULL,
    dropped bigint NOT NULL DEFAULT 0,
    kept bigint NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 70);

CREATE TABLE messages (
    topic bytea,
    number bigint,
    content bytea NOT NULL,
    PRIMARY KEY (topic, number)
);

-- Puts a message at the end of a topic, and drops the oldest ones beyond so many.
CREATE FUNCTION bus_publish(asked_topic bytea, message bytea, lifetime bigint, most bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz;
    present topics;
BEGIN
    -- Makes the row or locks it.
    INSERT INTO topics (topic, last, expires_at) VALUES (asked_topic, 0, 'infinity')
    ON CONFLICT (topic) DO UPDATE SET last = topics.last
    RETURNING * INTO present;
    moment := clock_timestamp();
    IF present.expires_at <= moment THEN
        DELETE FROM messages WHERE topic = asked_topic;
        present.dropped := present.last;
        present.kept := 0;
    END IF;
    -- Microseconds, so that a topic that was forgotten and is made again goes on with larger numbers.
    present.last := greatest(present.last + 1, (extract(epoch FROM moment) * 1000000)::bigint);
    INSERT INTO messages (topic, number, content) VALUES (asked_topic, present.last, message);
    present.kept := present.kept + 1;
    IF present.kept > most THEN
        WITH removed AS (
            DELETE FROM messages USING (
                SELECT number FROM messages WHERE topic = asked_topic ORDER BY number LIMIT present.kept - most
            ) AS oldest
            WHERE messages.topic = asked_topic AND messages.number = oldest.number
            RETURNING messages.number
        )
        SELECT max(number) INTO present.dropped FROM removed;
        present.kept := most;
    END IF;
    UPDATE topics
    SET last = present.last, dropped = present.dropped, kept = present.kept,
        expires_at = moment + lifetime * interval '1 millisecond'
    WHERE topic = asked_topic;
END
$$;

-- Forgets the messages of topics whose time has passed, and the inboxes themselves. Gives how many topics that were.
CREATE FUNCTION bus_sweep() RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    passed bytea[];
BEGIN
    SELECT coalesce(array_agg(found.topic), '{}') INTO passed FROM (
        SELECT topic FROM topics WHERE expires_at <= moment AND (kept > 0 OR topic <> '') FOR UPDATE SKIP LOCKED
    ) AS found;
    DELETE FROM messages WHERE topic = ANY (passed);
    UPDATE topics SET dropped = last, kept = 0 WHERE topic = ANY (passed);
    DELETE FROM topics WHERE topic = ANY (passed) AND topic <> '';
    RETURN cardinality(passed);
END
$$;
