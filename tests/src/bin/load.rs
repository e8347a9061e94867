//! A bounded HTTP/1.1 load on loopback, for `make bench`: the same requests for Marquee and for its peer.
//!
//! `load ADDRESS METHOD-PATH BODY-FILE CONNECTIONS SECONDS [RATE]` where BODY-FILE has one JSON body on each line, sent in turn.
//! Without RATE each connection sends its next request after its answer (closed loop). With RATE requests are due at fixed
//! times (open loop), and latency counts from the due time, so that a stalled server cannot hide it. One thread polls all
//! sockets without sleeping, so that its own timing does not affect the figures.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program of its own: its output is its result"
)]

use std::{
    collections::VecDeque,
    env, fs,
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    process::ExitCode,
    time::{Duration, Instant},
};

/// Maximum duration, so that a mistake cannot run forever.
const LONGEST: Duration = Duration::from_secs(60);

struct Connection {
    stream: TcpStream,
    /// Due time of the current request.
    due: Option<Instant>,
    /// Room for an answer, kept from one to the next, so that a look at a socket costs little besides the system call.
    room: Vec<u8>,
    /// Bytes of the answer received so far.
    received: usize,
    /// Status and length of the answer, once its head was read.
    answer: Option<(u16, usize)>,
}

struct Tally {
    latencies: Vec<Duration>,
    failed: usize,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<String, Box<dyn std::error::Error>> {
    let [address, path, bodies, connections, seconds, rate @ ..] = arguments else {
        return Err("usage: load ADDRESS PATH BODY-FILE CONNECTIONS SECONDS [RATE]".into());
    };
    let address: SocketAddr = address.parse()?;
    if !address.ip().is_loopback() {
        return Err(format!("{address} is not on loopback: this program loads nothing else").into());
    }
    let requests = requests(&address, path, &fs::read_to_string(bodies)?);
    let length = Duration::from_secs_f64(seconds.parse()?).min(LONGEST);
    let rate: Option<f64> = rate.first().map(|rate| rate.parse()).transpose()?;
    let mut pool = (0..connections.parse()?).map(|_| connect(address)).collect::<Result<Vec<_>, _>>()?;
    let tally = drive(&mut pool, &requests, length, rate)?;
    Ok(summary(tally, length))
}

fn requests(address: &SocketAddr, path: &str, bodies: &str) -> Vec<Vec<u8>> {
    let render = |body: &str| {
        let length = body.len();
        format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
            .into_bytes()
    };
    bodies.lines().map(render).collect()
}

fn connect(address: SocketAddr) -> std::io::Result<Connection> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(Connection { stream, due: None, room: vec![0; 1 << 16], received: 0, answer: None })
}

fn drive(
    pool: &mut [Connection],
    requests: &[Vec<u8>],
    length: Duration,
    rate: Option<f64>,
) -> std::io::Result<Tally> {
    let start = Instant::now();
    let mut tally = Tally { latencies: Vec::with_capacity(1 << 20), failed: 0 };
    let mut scheduled = 0_u64;
    let mut sent = 0_usize;
    let mut waiting: VecDeque<Instant> = VecDeque::new();
    loop {
        let now = Instant::now();
        let over = now - start >= length;
        if over && pool.iter().all(|connection| connection.due.is_none()) {
            return Ok(tally);
        }
        if let (Some(rate), false) = (rate, over) {
            while start + Duration::from_secs_f64(scheduled as f64 / rate) <= now {
                waiting.push_back(start + Duration::from_secs_f64(scheduled as f64 / rate));
                scheduled += 1;
            }
        }
        for connection in pool.iter_mut() {
            if connection.due.is_some() {
                receive(connection, &mut tally)?;
            } else if !over {
                let due = if rate.is_some() { waiting.pop_front() } else { Some(Instant::now()) };
                if let Some(due) = due {
                    connection.stream.write_all(&requests[sent % requests.len()])?;
                    connection.due = Some(due);
                    sent += 1;
                }
            }
        }
    }
}

/// Reads available bytes. A complete answer adds its latency and frees the connection.
fn receive(connection: &mut Connection, tally: &mut Tally) -> std::io::Result<()> {
    if connection.received == connection.room.len() {
        connection.room.resize(2 * connection.received, 0);
    }
    match connection.stream.read(&mut connection.room[connection.received..]) {
        Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
        Ok(n) => connection.received += n,
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
        Err(error) => return Err(error),
    }
    let received = &connection.room[..connection.received];
    connection.answer = connection.answer.or_else(|| status_and_length(received));
    let Some((status, _)) = connection.answer.filter(|(_, length)| received.len() >= *length) else {
        return Ok(());
    };
    if let Some(due) = connection.due.take() {
        tally.latencies.push(due.elapsed());
    }
    tally.failed += usize::from(status != 200);
    (connection.received, connection.answer) = (0, None);
    Ok(())
}

/// The status of an answer and its length with its head, once the head is complete.
fn status_and_length(bytes: &[u8]) -> Option<(u16, usize)> {
    let head_end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = std::str::from_utf8(&bytes[..head_end]).ok()?;
    let named = |line: &str| {
        line.split_once(':')
            .filter(|(name, _)| name.eq_ignore_ascii_case("content-length"))
            .map(|(_, n)| n.trim().parse())
    };
    let length: usize = head.lines().find_map(named)?.ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, head_end + length))
}

fn summary(mut tally: Tally, length: Duration) -> String {
    tally.latencies.sort_unstable();
    let count = tally.latencies.len();
    let at = |share: f64| {
        let index = ((count as f64 * share) as usize).min(count.saturating_sub(1));
        tally.latencies.get(index).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    };
    format!(
        r#"{{"requests":{count},"failed":{},"per_second":{:.1},"p50_ms":{:.4},"p99_ms":{:.4},"p999_ms":{:.4}}}"#,
        tally.failed,
        count as f64 / length.as_secs_f64(),
        at(0.5),
        at(0.99),
        at(0.999),
    )
}
