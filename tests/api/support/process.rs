//! The real binary: started, talked to, killed.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Output;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::Answer;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A folder of its own, removed with the test.
pub struct Folder(PathBuf);

impl Folder {
    /// A new name in the system's temporary folder; nothing is there yet.
    pub fn new() -> Self {
        let name = format!("sekisho-process-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Settings by name, as the environment gives them.
pub type Environment = BTreeMap<&'static str, String>;

fn command(arguments: &[&str], environment: &Environment) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, value) in environment {
        command.env(format!("SEKISHO_{}", name.to_uppercase().replacen('.', "__", 1)), value);
    }
    command
}

/// Starts a command that the test ends.
pub fn spawn(arguments: &[&str], environment: &Environment) -> Child {
    command(arguments, environment).spawn().unwrap()
}

/// Runs a command to its end.
pub fn run(arguments: &[&str], environment: &Environment) -> Output {
    command(arguments, environment).output().unwrap()
}

/// Runs a command that must succeed; answers what it printed.
#[track_caller]
pub fn told(arguments: &[&str], environment: &Environment) -> String {
    let output = run(arguments, environment);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail; answers what it told the operator.
#[track_caller]
pub fn fails(arguments: &[&str], environment: &Environment) -> String {
    let output = run(arguments, environment);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    told
}

/// Waits for something that another process does, with a deadline.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..1200 {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("waited too long for {what}");
}

/// A running server. One that the test forgets is killed.
pub struct Process {
    /// Where it answers.
    pub url: String,
    child: Child,
    output: Arc<Mutex<String>>,
    client: reqwest::Client,
}

impl Process {
    /// `sekisho dev` in a folder; port 0 takes any.
    pub async fn dev(folder: &Path, port: u16) -> Self {
        let (folder, port) = (folder.to_str().unwrap(), port.to_string());
        let arguments = ["dev", "--port", &port, "--data", folder];
        Self::start(&arguments, &Environment::new(), "Ctrl-C", "http://localhost:").await
    }

    /// `sekisho serve`.
    pub async fn serve(environment: &Environment) -> Self {
        Self::start(&["serve"], environment, "\"serving\"", r#""addresses":"[127.0.0.1:"#).await
    }

    /// Starts and waits for the line that says that it serves; the port follows `before`.
    async fn start(arguments: &[&str], environment: &Environment, line: &str, before: &str) -> Self {
        let mut child = command(arguments, environment).spawn().unwrap();
        let output = Arc::new(Mutex::new(String::new()));
        collect(child.stdout.take().unwrap(), &output);
        collect(child.stderr.take().unwrap(), &output);
        let text = until("a server that serves", async || {
            let text = output.lock().unwrap().clone();
            assert!(child.try_wait().unwrap().is_none(), "{text}");
            text.contains(line).then_some(text)
        })
        .await;
        let (_, after) = text.split_once(before).unwrap();
        let port: String = after.chars().take_while(char::is_ascii_digit).collect();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { url: format!("http://127.0.0.1:{port}"), child, output, client }
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its resident memory, where the system tells it.
    pub fn resident_kib(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    }

    /// Everything that it has written.
    pub fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    /// Ends it at once, with nothing said.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> ExitStatus {
        until("the end of a server", async || self.child.try_wait().unwrap()).await
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.try_get(path).await.unwrap()
    }

    /// GET, which may find nobody.
    pub async fn try_get(&self, path: &str) -> reqwest::Result<Answer> {
        Ok(Answer::read(self.client.get(format!("{}{path}", self.url)).send().await?).await)
    }

    /// POST without a token.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        Answer::read(self.client.post(format!("{}{path}", self.url)).json(body).send().await.unwrap()).await
    }

    /// Any method with an access token.
    pub async fn with_token(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let request = self.client.request(method, format!("{}{path}", self.url)).bearer_auth(token);
        Answer::read(if let Some(body) = body { request.json(body) } else { request }.send().await.unwrap()).await
    }

    /// The newest code that the development inbox holds for an address and that is not `old`.
    pub async fn code_to(&self, address: &str, old: &str) -> String {
        until("a code", async || {
            let page = self.get(&format!("/dev/inbox?to={address}")).await.ok(200);
            page["items"][0]["code"].as_str().filter(|code| *code != old).map(str::to_owned)
        })
        .await
    }

    /// What an authenticator app shows that is not used yet.
    pub async fn totp(&self, factor: &str) -> String {
        let code = self.get(&format!("/dev/totp/{factor}")).await.ok(200);
        code["code"].as_str().unwrap().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(from: impl Read + Send + 'static, into: &Arc<Mutex<String>>) {
    let into = Arc::clone(into);
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            into.lock().unwrap().extend([line.as_str(), "\n"]);
        }
    });
}
