//! A mail server that accepts everything (RFC 5321, as much as a sender needs).

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use tokio::io::AsyncBufReadExt;
use tokio::io::AsyncWriteExt;
use tokio::io::BufStream;
use tokio::net::TcpListener;
use tokio::net::TcpStream;

use super::process::until;

/// Where mails arrive.
pub struct Mailbox {
    /// `smtp://…` of the server.
    pub url: String,
    mails: Arc<Mutex<Vec<String>>>,
    hangs: Arc<AtomicBool>,
    full: Arc<Mutex<Option<String>>>,
}

impl Mailbox {
    /// Opens one on a free port, for as long as the runtime lives.
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("smtp://{}", listener.local_addr().unwrap());
        let mails = Arc::new(Mutex::new(Vec::new()));
        let (arriving, hangs) = (Arc::clone(&mails), Arc::new(AtomicBool::new(false)));
        let hanging = Arc::clone(&hangs);
        let full = Arc::new(Mutex::new(None));
        let refusing = Arc::clone(&full);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Accepted, and never a word.
                if hanging.load(Ordering::Relaxed) {
                    std::mem::forget(stream);
                } else {
                    tokio::spawn(receive(stream, Arc::clone(&arriving), Arc::clone(&refusing)));
                }
            }
        });
        Self { url, mails, hangs, full }
    }

    /// Whether connections from now on get no answer.
    pub fn hang(&self, hangs: bool) {
        self.hangs.store(hangs, Ordering::Relaxed);
    }

    /// The mailbox of this address takes nothing from now on: it is full.
    pub fn fill(&self, address: &str) {
        *self.full.lock().unwrap() = Some(address.to_owned());
    }

    /// How many mails have arrived for an address.
    pub fn count(&self, address: &str) -> usize {
        self.mails.lock().unwrap().iter().filter(|mail| mail.contains(&format!("To: {address}\r\n"))).count()
    }

    /// The six or eight digits that stand alone in a mail to this address.
    pub async fn code_to(&self, address: &str) -> String {
        until("a mail", async || {
            let mails = self.mails.lock().unwrap();
            let mail = mails.iter().rfind(|mail| mail.contains(&format!("To: {address}")))?;
            let (_, text) = mail.split_once("\r\n\r\n")?;
            let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
            let is_code = |word: &&str| [6, 8].contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit());
            words.find(is_code).map(str::to_owned)
        })
        .await
    }

    /// The word of a mail to this address that begins like this.
    pub async fn word_to(&self, address: &str, beginning: &str) -> String {
        until("a mail with a word", async || {
            let mails = self.mails.lock().unwrap();
            let to_them = mails.iter().filter(|mail| mail.contains(&format!("To: {address}")));
            let whole = to_them.map(|mail| mail.replace("=\r\n", "")).find(|mail| mail.contains(beginning))?;
            let word =
                whole[whole.find(beginning)?..].split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
            word.into_iter().next().map(str::to_owned)
        })
        .await
    }
}

async fn receive(
    stream: TcpStream,
    mails: Arc<Mutex<Vec<String>>>,
    full: Arc<Mutex<Option<String>>>,
) -> std::io::Result<()> {
    let mut stream = BufStream::new(stream);
    let mut reply = "220 mailbox";
    loop {
        stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
        stream.flush().await?;
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        reply = match line.get(..4) {
            Some("DATA") => {
                stream.write_all(b"354 go on\r\n").await?;
                stream.flush().await?;
                let mut mail = String::new();
                while !mail.ends_with("\r\n.\r\n") && stream.read_line(&mut mail).await? > 0 {}
                mails.lock().unwrap().push(mail);
                "250 ok"
            }
            Some("RCPT") if full.lock().unwrap().as_ref().is_some_and(|full| line.contains(full)) => "452 4.2.2 full",
            Some("QUIT") => "221 bye",
            _ => "250 ok",
        };
    }
}
