-- Who the store is. The first who makes the schema decides.
CREATE TABLE identity (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    id bytea NOT NULL
);

INSERT INTO identity (id) VALUES (uuid_send(gen_random_uuid()));

-- A row for each session that has a record or a tombstone. Whoever writes a session holds the lock of its row, from its
-- first statement to the end of its transaction; whoever reads it takes no lock.
CREATE TABLE sessions (
    session bytea PRIMARY KEY,
    -- NULL for nobody in particular, and for a tombstone.
    owner bytea,
    gone boolean NOT NULL DEFAULT false,
    -- The last sixteen, the newest at the end.
    operations bytea[] NOT NULL DEFAULT '{}',
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX sessions_by_owner ON sessions (owner, session) WHERE owner IS NOT NULL;

CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE parts (
    session bytea,
    -- Bytes, so that no encoding or collation of the database changes or equates them.
    key bytea,
    revision bigint NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (session, key)
) WITH (fillfactor = 70);

-- When a session ends that is used now. It is moved once a tenth of the lifetime has passed, so that reads need not write,
-- and writes need not touch the index.
CREATE FUNCTION renewed(ends timestamptz, moment timestamptz, lifetime interval) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN ends - moment BETWEEN lifetime * 0.9 AND lifetime THEN ends ELSE moment + lifetime END
$$;

-- Reads parts of a session and renews its lifetime, in milliseconds. Contents and revisions are in the order of the keys.
CREATE FUNCTION session_load(
    asked_session bytea, asked_keys bytea[], idle bigint,
    OUT presence text, OUT contents bytea[], OUT revisions bigint[]
)
LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    lifetime interval := idle * interval '1 millisecond';
    ends timestamptz;
BEGIN
    -- One statement, so that all is of one moment.
    SELECT CASE WHEN sessions.gone THEN 'gone' ELSE 'live' END, sessions.expires_at, found.contents, found.revisions
    INTO presence, ends, contents, revisions
    FROM sessions, LATERAL (
        SELECT array_agg(parts.content ORDER BY asked.place) AS contents,
               array_agg(parts.revision ORDER BY asked.place) AS revisions
        FROM unnest(asked_keys) WITH ORDINALITY AS asked (key, place)
        LEFT JOIN parts ON parts.session = asked_session AND parts.key = asked.key
    ) AS found
    WHERE sessions.session = asked_session AND sessions.expires_at > moment;
    IF NOT FOUND THEN
        presence := 'absent';
    ELSIF presence = 'live' AND renewed(ends, moment, lifetime) <> ends THEN
        -- What was removed or expired meanwhile stays so.
        UPDATE sessions SET expires_at = moment + lifetime
        WHERE session = asked_session AND NOT gone AND expires_at > moment;
    END IF;
END
$$;

-- Writes parts of a session, all or none. The lock of the session's row makes commits follow each other, and each statement
-- after it sees what the commits before it did: so nothing is lost although the isolation is READ COMMITTED.
CREATE FUNCTION session_commit(
    asked_session bytea, operation bytea, new_owner bytea, idle bigint,
    asked_keys bytea[], expected bigint[], contents bytea[]
) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    lifetime interval := idle * interval '1 millisecond';
    moment timestamptz;
    present sessions;
    is_new boolean;
BEGIN
    LOOP
        SELECT * INTO present FROM sessions WHERE session = asked_session FOR UPDATE;
        is_new := NOT FOUND;
        -- Looked at with the lock in hand: it may have been waited for.
        moment := clock_timestamp();
        IF NOT is_new AND present.expires_at > moment THEN
            IF present.gone THEN
                RETURN 'gone';
            ELSIF operation = ANY (present.operations) THEN
                RETURN 'duplicate';
            ELSIF EXISTS (
                SELECT FROM unnest(asked_keys, expected) AS asked (key, revision)
                LEFT JOIN parts ON parts.session = asked_session AND parts.key = asked.key
                WHERE coalesce(parts.revision, 0) <> asked.revision
            ) THEN
                RETURN 'conflict';
            END IF;
            UPDATE sessions
            SET operations = (present.operations || operation)[greatest(cardinality(present.operations) - 14, 1):],
                expires_at = renewed(present.expires_at, moment, lifetime)
            WHERE session = asked_session;
            EXIT;
        END IF;
        -- There is no record, or its time has passed.
        IF EXISTS (SELECT FROM unnest(expected) AS asked (revision) WHERE asked.revision <> 0) THEN
            RETURN 'conflict';
        ELSIF is_new THEN
            INSERT INTO sessions (session, owner, operations, expires_at)
            VALUES (asked_session, new_owner, ARRAY[operation], moment + lifetime)
            ON CONFLICT DO NOTHING;
            -- Somebody else made or removed it meanwhile: it is looked at again.
            EXIT WHEN FOUND;
        ELSE
            DELETE FROM parts WHERE session = asked_session;
            UPDATE sessions
            SET owner = new_owner, gone = false, operations = ARRAY[operation], expires_at = moment + lifetime
            WHERE session = asked_session;
            EXIT;
        END IF;
    END LOOP;
    INSERT INTO parts (session, key, revision, content)
    SELECT asked_session, asked.key, asked.revision + 1, asked.content
    FROM unnest(asked_keys, expected, contents) AS asked (key, revision, content)
    ON CONFLICT (session, key) DO UPDATE SET revision = excluded.revision, content = excluded.content;
    RETURN 'saved';
END
$$;

-- Removes a session and leaves a tombstone for so many milliseconds; one that stands for longer stays.
CREATE FUNCTION session_remove(asked_session bytea, tombstone bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF tombstone > 0 THEN
        INSERT INTO sessions (session, gone, expires_at)
        VALUES (asked_session, true, clock_timestamp() + tombstone * interval '1 millisecond')
        ON CONFLICT (session) DO UPDATE
        SET owner = NULL, gone = true, operations = '{}',
            expires_at = CASE WHEN sessions.gone THEN greatest(sessions.expires_at, excluded.expires_at)
                              ELSE excluded.expires_at END;
    ELSE
        DELETE FROM sessions WHERE session = asked_session AND NOT (gone AND expires_at > clock_timestamp());
    END IF;
    -- Only with the lock of the row in hand.
    IF FOUND THEN
        DELETE FROM parts WHERE session = asked_session;
    END IF;
END
$$;

-- Drops at most so many sessions whose time has passed, leaving those that somebody else works on. Gives their number.
CREATE FUNCTION session_sweep(most bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
    dropped bytea[];
BEGIN
    WITH passed AS (
        SELECT session FROM sessions WHERE expires_at <= moment ORDER BY expires_at LIMIT most FOR UPDATE SKIP LOCKED
    ), removed AS (
        DELETE FROM sessions USING passed WHERE sessions.session = passed.session RETURNING sessions.session
    )
    SELECT coalesce(array_agg(session), '{}') INTO dropped FROM removed;
    DELETE FROM parts WHERE session = ANY (dropped);
    RETURN cardinality(dropped);
END
$$;
