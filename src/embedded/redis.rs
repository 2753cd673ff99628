//! The private Redis: started, known to answer, stopped if an earlier run left it.
//!
//! Its password is in a file that only its user can read, never among its arguments.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use data_encoding::HEXLOWER;

use crate::crypto::random_bytes;

use super::Running;
use super::error::EmbeddedError;
use super::folder::Folder;
use super::postgres::free_port;
use super::programs::Programs;
use super::supervised::Job;
use super::supervised::POLL;
use super::supervised::Supervised;

const NAME: &str = "Redis";
const SETTINGS: &str = "redis.conf";
/// 25 s of polls.
const POLLS_TO_STOP: u32 = 1000;
const TRIES: u32 = 40;
const ANSWER: Duration = Duration::from_secs(2);

pub(super) async fn start(programs: &Programs, folder: &Folder) -> Result<Running, EmbeddedError> {
    let place = folder.place("redis")?;
    stop_remains(&place).await?;
    let job = Job {
        name: NAME,
        program: &programs.redis_server,
        signal: "TERM",
        place: &place,
        remove_place: !folder.is_kept(),
    };
    let mut tries = 0;
    loop {
        let port = free_port()?;
        let password = HEXLOWER.encode(&random_bytes::<24>());
        let settings = write_settings(folder, &place, port, &password)?;
        let mut process = Supervised::start(&job, folder, &[settings])?;
        let url = format!("redis://:{password}@127.0.0.1:{port}/0");
        let Err(error) = process.until(async || say(&url, "PING").await.is_ok()).await else {
            return Ok(Running { process, url });
        };
        tries += 1;
        if tries == TRIES || !process.log().contains("Address already in use") {
            return Err(error);
        }
    }
}

fn write_settings(folder: &Folder, place: &Path, port: u16, password: &str) -> Result<PathBuf, EmbeddedError> {
    let keeping = if folder.is_kept() { "yes" } else { "no" };
    let text = format!(
        "port {port}\nrequirepass {password}\nbind 127.0.0.1\nappendonly {keeping}\nappendfsync everysec\nsave \"\"\n"
    );
    let path = place.join(SETTINGS);
    let mut file = folder.create_private(&path)?;
    let written = file.write_all(text.as_bytes());
    written.map_err(|cause| EmbeddedError::folder(&path, cause))?;
    Ok(path)
}

/// Stops the server that an earlier run left behind: who takes that run's password at that run's port is ours.
async fn stop_remains(place: &Path) -> Result<(), EmbeddedError> {
    let Ok(settings) = fs::read_to_string(place.join(SETTINGS)) else {
        return Ok(());
    };
    let value = |name: &str| {
        let mut lines = settings.lines();
        lines.find_map(|line| line.strip_prefix(name).map(str::trim))
    };
    let (Some(port), Some(password)) = (value("port "), value("requirepass ")) else {
        return Ok(());
    };
    let url = format!("redis://:{password}@127.0.0.1:{port}/0");
    for _ in 0..POLLS_TO_STOP {
        if say(&url, "PING").await.is_err() {
            return Ok(());
        }
        // A server that obeys answers nothing.
        let _ = say(&url, "SHUTDOWN").await;
        tokio::time::sleep(POLL).await;
    }
    Err(EmbeddedError::Stuck { name: NAME, process: format!("on port {port}") })
}

async fn say(url: &str, word: &str) -> redis::RedisResult<()> {
    let saying = async {
        let client = redis::Client::open(url)?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        redis::cmd(word).query_async::<()>(&mut connection).await
    };
    match tokio::time::timeout(ANSWER, saying).await {
        Ok(result) => result,
        Err(_) => Err((redis::ErrorKind::Io, "no answer in time").into()),
    }
}
