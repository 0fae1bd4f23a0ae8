CREATE SEQUENCE task_places;

CREATE TABLE tasks (
    id bytea PRIMARY KEY,
    owner bytea NOT NULL,
    -- Later tasks have larger ones.
    place bigint NOT NULL DEFAULT nextval('task_places'),
    revision bigint NOT NULL DEFAULT 1,
    record bytea NOT NULL,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX tasks_by_owner ON tasks (owner, place);

CREATE INDEX tasks_by_end ON tasks (expires_at);
