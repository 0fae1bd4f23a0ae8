//! The schema in PostgreSQL, brought up to date by whoever comes first.
//!
//! Takes: a connection. Gives: a schema in which every table and function is. Knows: the order of changes. Must not know:
//! what the tables are for.

use tokio_postgres::{Client, GenericClient, types::Type};

use super::link::Trouble;

/// The changes in their order. One that was released stays as it is; what is new comes after it, and leaves what programs of
/// the version before use as they know it.
const MIGRATIONS: [&str; 5] = [
    include_str!("sql/1_sessions.sql"),
    include_str!("sql/2_streams.sql"),
    include_str!("sql/3_tasks.sql"),
    include_str!("sql/4_bus.sql"),
    include_str!("sql/5_looks.sql"),
];

/// The oldest PostgreSQL that is tried, as it numbers itself.
const OLDEST: i32 = 140_000;

/// Makes the schema, or brings it up to date. Several processes may do that at once: one does it, the others wait.
pub(super) async fn run(connection: &mut Client, schema: &str) -> Result<(), Trouble> {
    let fact = "SELECT current_setting('server_version_num')::int, current_setting('server_version')";
    let facts = connection.query_typed_one(fact, &[]).await?;
    if facts.try_get::<_, i32>(0)? < OLDEST {
        let name: String = facts.try_get(1)?;
        return Err(Trouble::Unfit(format!("it is version {name}, and 14 or newer is needed")));
    }
    if !is_behind(seen_by(connection, schema).await?, schema)? {
        return Ok(());
    }
    let transaction = connection.transaction().await?;
    // Held until the end of the transaction, also if that is the end of this process.
    transaction
        .query_typed("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", &[(&lock_of(schema), Type::TEXT)])
        .await?;
    // Making a schema needs a right that using it does not.
    let missing = "SELECT to_regnamespace($1) IS NULL";
    if transaction.query_typed_one(missing, &[(&schema, Type::TEXT)]).await?.try_get(0)? {
        transaction.batch_execute(&format!("CREATE SCHEMA \"{schema}\"")).await?;
    }
    let made = "CREATE TABLE IF NOT EXISTS migrations (number integer PRIMARY KEY, \
                done_at timestamptz NOT NULL DEFAULT now())";
    transaction.batch_execute(made).await?;
    let seen = seen_by(&transaction, schema).await?;
    is_behind(seen, schema)?;
    for (number, migration) in (1_i32..).zip(MIGRATIONS).skip(seen) {
        transaction.batch_execute(migration).await?;
        let done = "INSERT INTO migrations (number) VALUES ($1)";
        transaction.query_typed(done, &[(&number, Type::INT4)]).await?;
    }
    transaction.commit().await?;
    Ok(())
}

fn lock_of(schema: &str) -> String {
    format!("mcp-runtime migrates {schema}")
}

/// How many migrations the schema has seen; 0 for one that is not there.
async fn seen_by(connection: &impl GenericClient, schema: &str) -> Result<usize, Trouble> {
    let table = format!("{schema}.migrations");
    let there = connection.query_typed_one("SELECT to_regclass($1) IS NOT NULL", &[(&table, Type::TEXT)]).await?;
    if !there.try_get::<_, bool>(0)? {
        return Ok(0);
    }
    let seen = connection.query_typed_one("SELECT coalesce(max(number), 0) FROM migrations", &[]).await?;
    Ok(usize::try_from(seen.try_get::<_, i32>(0)?).unwrap_or_default())
}

fn is_behind(seen: usize, schema: &str) -> Result<bool, Trouble> {
    if seen > MIGRATIONS.len() {
        return Err(Trouble::Unfit(format!(
            "its schema `{schema}` was made by a newer version of this program: use that one, or another schema \
             (`?schema=` in the URL)"
        )));
    }
    Ok(seen < MIGRATIONS.len())
}
