//! What stands in the database and what is done there, as numbers.

use std::collections::BTreeMap;

use sqlx::AssertSqlSafe;
use sqlx::PgPool;

/// How many rows each table has that a request may write to.
pub async fn rows(db: &PgPool) -> BTreeMap<String, i64> {
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'replicas'";
    let mut rows = BTreeMap::new();
    for table in sqlx::query_scalar::<_, String>(tables).fetch_all(db).await.unwrap() {
        let count = sqlx::query_scalar(AssertSqlSafe(format!("SELECT count(*) FROM {table}")));
        rows.insert(table, count.fetch_one(db).await.unwrap());
    }
    rows
}

/// Counts from now on the statements that do something to a table, whatever the number of rows, such as `UPDATE OF state`.
/// They are in the table `statements`, once they are committed.
pub async fn count_statements(db: &PgPool, table: &str, what: &str) {
    let count = format!(
        "CREATE TABLE IF NOT EXISTS statements (on_table text NOT NULL);
         CREATE OR REPLACE FUNCTION count_statement() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN INSERT INTO statements VALUES (TG_TABLE_NAME); RETURN NULL; END $$;
         CREATE TRIGGER counted AFTER {what} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION count_statement();"
    );
    sqlx::raw_sql(AssertSqlSafe(count)).execute(db).await.unwrap();
}
