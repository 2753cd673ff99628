//! With the real programs, as whoever runs the tests: root or not.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;

use sqlx::Connection;
use sqlx::Executor;
use sqlx::PgConnection;
use sqlx::Row;

use super::Data;
use super::Embedded;
use super::EmbeddedError;
use super::folder::unique;
use super::postgres::command_line;
use super::programs::Programs;
use super::supervised::POLL;

/// A folder that is removed with the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        Self(std::env::temp_dir().join(unique("sekisho-test")))
    }

    fn kept(&self) -> Data {
        Data::Kept(self.0.clone())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn run(url: &str, sql: &'static str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.execute(sql).await.unwrap();
}

async fn number(url: &str, sql: &'static str) -> i32 {
    let mut connection = PgConnection::connect(url).await.unwrap();
    connection.fetch_one(sql).await.unwrap().get(0)
}

fn redis(url: &str, words: &[&str]) -> String {
    let client = redis::Client::open(url).unwrap();
    let mut connection = client.get_connection().unwrap();
    let mut command = redis::cmd(words[0]);
    for word in &words[1..] {
        command.arg(word);
    }
    command.query(&mut connection).unwrap()
}

fn postmaster(folder: &Path) -> String {
    let text = fs::read_to_string(folder.join("postgres/data/postmaster.pid")).unwrap();
    text.lines().next().unwrap().trim().to_owned()
}

fn kill(process: &str) {
    let status = Command::new("kill").args(["-9", process]).status();
    assert!(status.unwrap().success());
}

/// Kills both supervisors and thereby leaves both servers to themselves, as nothing but bad luck could.
fn orphan(embedded: &mut Embedded) {
    for server in [&mut embedded.postgres, &mut embedded.redis] {
        kill_watch_and_shell(server.process.shell_id());
    }
}

fn kill_watch_and_shell(shell: u32) {
    let children = fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).unwrap();
    for child in children.split_whitespace() {
        let name = fs::read_to_string(format!("/proc/{child}/comm")).unwrap();
        if name.trim() == "sh" {
            kill(child);
        }
    }
    kill(&shell.to_string());
}

#[tokio::test]
async fn starts_stops_and_starts_again_with_its_data() {
    let scratch = Scratch::new();
    let first = Embedded::start(scratch.kept()).await.unwrap();
    run(first.database_url(), "CREATE TABLE marks (value int)").await;
    run(first.database_url(), "INSERT INTO marks VALUES (1)").await;
    redis(first.redis_url(), &["SET", "mark", "2"]);
    first.stop().await.unwrap();

    let second = Embedded::start(scratch.kept()).await.unwrap();
    let url = second.database_url();
    assert_eq!(number(url, "SELECT value FROM marks").await, 1);
    assert_eq!(redis(second.redis_url(), &["GET", "mark"]), "2");
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_postgres_loses_nothing() {
    let scratch = Scratch::new();
    let first = Embedded::start(scratch.kept()).await.unwrap();
    run(first.database_url(), "CREATE TABLE marks AS SELECT 7 AS value").await;
    kill(&postmaster(first.folder()));
    drop(first);

    let second = Embedded::start(scratch.kept()).await.unwrap();
    let url = second.database_url();
    assert_eq!(number(url, "SELECT value FROM marks").await, 7);
    second.stop().await.unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn servers_left_behind_are_stopped_by_the_next_start() {
    let scratch = Scratch::new();
    let mut first = Embedded::start(scratch.kept()).await.unwrap();
    run(first.database_url(), "CREATE TABLE marks AS SELECT 8 AS value").await;
    let left = postmaster(first.folder());
    let left_redis = first.redis_url().to_owned();
    orphan(&mut first);
    drop(first);
    assert!(command_line(&left).is_some());

    let second = Embedded::start(scratch.kept()).await.unwrap();
    assert_eq!(command_line(&left), None);
    assert!(redis::Client::open(left_redis).unwrap().get_connection().is_err());
    let url = second.database_url();
    assert_eq!(number(url, "SELECT value FROM marks").await, 8);
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_stranger_with_the_number_of_a_dead_postgres_is_left_alone() {
    let scratch = Scratch::new();
    let first = Embedded::start(scratch.kept()).await.unwrap();
    let file = first.folder().join("postgres/data/postmaster.pid");
    let text = fs::read_to_string(&file).unwrap();
    let ours = postmaster(first.folder());
    first.stop().await.unwrap();
    let stranger = std::process::id().to_string();
    fs::write(&file, text.replacen(&ours, &stranger, 1)).unwrap();

    let second = Embedded::start(scratch.kept()).await.unwrap();
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_folder_in_use_is_refused_and_another_is_not() {
    let scratch = Scratch::new();
    let other = Scratch::new();
    let first = Embedded::start(scratch.kept()).await.unwrap();
    let refused = Embedded::start(scratch.kept()).await.unwrap_err();
    assert!(matches!(refused, EmbeddedError::InUse { .. }), "{refused}");
    assert_eq!(refused.to_string().lines().count(), 1);

    let second = Embedded::start(other.kept()).await.unwrap();
    assert_ne!(first.database_url(), second.database_url());
    number(first.database_url(), "SELECT 1").await;
    number(second.database_url(), "SELECT 1").await;
    first.stop().await.unwrap();
    number(second.database_url(), "SELECT 1").await;
    second.stop().await.unwrap();
}

#[tokio::test]
async fn throw_away_data_goes_with_its_servers() {
    let stopped = Embedded::start(Data::ThrowAway).await.unwrap();
    let dropped = Embedded::start(Data::ThrowAway).await.unwrap();
    run(stopped.database_url(), "CREATE DATABASE template_of_tests").await;
    let folders = [stopped.folder().to_owned(), dropped.folder().to_owned()];
    stopped.stop().await.unwrap();
    drop(dropped);
    for folder in folders {
        // The last act of the supervisors, of which one may be a moment behind.
        for _ in 0..200 {
            if !folder.exists() {
                break;
            }
            tokio::time::sleep(POLL).await;
        }
        assert!(!folder.exists(), "{}", folder.display());
    }
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_one_clear_line() {
    let file = Scratch::new();
    fs::write(&file.0, "").unwrap();
    let refused = Embedded::start(Data::Kept(file.0.join("data"))).await;
    let refused = refused.unwrap_err();
    assert!(matches!(refused, EmbeddedError::Folder { .. }), "{refused}");
    assert!(refused.to_string().contains("--data"), "{refused}");
    fs::remove_file(&file.0).unwrap();
}

#[tokio::test]
async fn data_of_another_version_is_refused() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.0.join("postgres/data")).unwrap();
    fs::write(scratch.0.join("postgres/data/PG_VERSION"), "9\n").unwrap();
    let refused = Embedded::start(scratch.kept()).await.unwrap_err();
    assert!(matches!(refused, EmbeddedError::OtherVersion { .. }), "{refused}");
}

#[test]
fn missing_programs_are_named_with_what_installs_them() {
    let empty = Scratch::new();
    let refused = Programs::find(std::slice::from_ref(&empty.0)).unwrap_err();
    assert!(matches!(refused, EmbeddedError::Missing { .. }));
    let line = refused.to_string();
    assert!(line.contains("PostgreSQL 15") && line.contains("make run"), "{line}");
    assert!(line.contains("install"), "{line}");
}
