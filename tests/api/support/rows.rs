//! What stands in the database, as numbers.

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
