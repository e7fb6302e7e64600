//! Serve tolerance tiers over HTTP from a program of one's own, ask one question, and stop.

use std::error::Error;
use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;

use paretone::recognizer::Recognizer;
use paretone::service::{App, Connections, Edge, Front, Options, router};

fn main() -> Result<(), Box<dyn Error>> {
    let model = Path::new("models/en");
    let (options, edge) = (Options::new(model.join("rules.toml")), Edge::default());
    let recognizer = Arc::new(Recognizer::open(model)?);
    let app = Arc::new(App::new(recognizer, options, &edge)?);
    let front = Front::new(Connections::default(), edge.clone(), router(app));
    tokio::runtime::Runtime::new()?.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(front.serve(listener));
        let answer = tokio::task::spawn_blocking(move || ask(address)).await??;
        println!("{answer}");
        // Stop accepting, and answer what was accepted.
        edge.stopping.drain();
        println!("the service ended: {:?}", serving.await?);
        Ok(())
    })
}

/// Post a recording that may cost 5 % more errors, and return the whole response.
fn ask(address: SocketAddr) -> io::Result<String> {
    let audio = std::fs::read("corpora/samples/river.wav")?;
    let mut stream = TcpStream::connect(address)?;
    let head = "Tolerance: 5%\r\nObjective: cost\r\nConnection: close";
    let post = format!("POST /compute HTTP/1.1\r\nHost: {address}\r\n{head}\r\n");
    write!(stream, "{post}Content-Length: {}\r\n\r\n", audio.len())?;
    stream.write_all(&audio)?;
    io::read_to_string(stream)
}
