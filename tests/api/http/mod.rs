//! `src/http`: what is the same for every request.

mod bodies;
mod callers;
mod cors;
mod every_member;
mod headers;
mod paths;
mod redirects;
mod representations;

use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::TestApp;

/// Sends a request as it is written, without the tidying of a client; the status and the whole answer.
async fn raw(app: &TestApp, request: &[u8]) -> (u16, String) {
    let address = app.url.strip_prefix("http://localhost:").map(|port| format!("127.0.0.1:{port}")).unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8(answer).unwrap();
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
}
