//! The registry alone, with many runtimes, users and watchers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::Host;
use crate::stats::{HEAD, Times};

const USERS: usize = 200;
const RUNTIMES: usize = 20_000;
const WATCHERS: usize = 100;
/// Connections that put and ping at once.
const CLIENTS: usize = 8;
const PINGS: usize = 20_000;
const LISTS: usize = 2_000;

struct User {
    id: String,
    token: String,
}

pub(crate) fn measure() -> Result<()> {
    let dir = TempDir::new()?;
    let registry = Host::registry(&dir.path().join("state"))?;
    let users: Vec<User> = (0..USERS).map(|n| add(&registry, n)).collect::<Result<_>>()?;
    let empty = registry.process.memory()?.rss;
    let told = AtomicUsize::new(0);
    std::thread::scope(|scope| -> Result<()> {
        let streams: Vec<_> = users[..WATCHERS].iter().map(|user| watch(registry.port, user)).collect::<Result<_>>()?;
        for stream in &streams {
            let lines = BufReader::new(stream.try_clone()?).lines();
            let told = &told;
            scope.spawn(move || {
                let events = lines.map_while(Result::ok).filter(|line| line.starts_with("event: "));
                events.for_each(|_| {
                    told.fetch_add(1, Ordering::Relaxed);
                });
            });
        }
        let puts = each(RUNTIMES, |connection, n| put(connection, n, &users[n % USERS]), registry.port)?;
        let loaded = registry.process.memory()?.rss;
        let pings = each(PINGS, |connection, n| ping(connection, n % RUNTIMES), registry.port)?;
        let mut lists = Vec::new();
        let mut connection = Connection::open(registry.port)?;
        for n in 0..LISTS {
            let user = &users[n % USERS];
            let began = Instant::now();
            let (_, body) = connection.ask("GET", "/runtimes", Some(&user.token), "")?;
            lists.push(began.elapsed());
            ensure!(n % 100 > 0 || serde_json::from_str::<Vec<Value>>(&body)?.len() == RUNTIMES / USERS);
        }
        println!("{RUNTIMES} runtimes of {USERS} users, {WATCHERS} watchers, {CLIENTS} clients at once, SQLite\n");
        println!("| | calls | per second |\n|---|--:|--:|");
        println!("| PUT | {RUNTIMES} | {:.0} |", per_second(RUNTIMES, puts));
        println!("| ping | {PINGS} | {:.0} |\n", per_second(PINGS, pings));
        println!("{HEAD}\n{}", Times::from_iter(lists).row(&format!("list of {}", RUNTIMES / USERS)));
        let awaited = RUNTIMES / USERS * WATCHERS;
        crate::process::wait("the events", || Ok(told.load(Ordering::Relaxed) >= awaited))?;
        println!("\nevents told: {} of {awaited}", told.load(Ordering::Relaxed));
        println!("RSS: {empty} kB empty, {loaded} kB after the PUTs, {} kB in the end", registry.process.memory()?.rss);
        for stream in &streams {
            stream.shutdown(std::net::Shutdown::Both)?;
        }
        Ok(())
    })
}

fn per_second(count: usize, time: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / time.as_secs_f64()
}

fn add(registry: &Host, n: usize) -> Result<User> {
    let made: Value =
        serde_json::from_slice(&registry.cli(&["registry", "user", "add", &format!("user {n}"), "--json"])?)?;
    let text = |key: &str| made[key].as_str().map(str::to_owned).context("no such key");
    Ok(User { id: text("id")?, token: text("token")? })
}

/// So many calls by several clients at once, each on its own connection.
fn each(count: usize, call: impl Fn(&mut Connection, usize) -> Result<()> + Sync, port: u16) -> Result<Duration> {
    let began = Instant::now();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let call = &call;
                scope.spawn(move || {
                    let mut connection = Connection::open(port)?;
                    (client..count).step_by(CLIENTS).try_for_each(|n| call(&mut connection, n))
                })
            })
            .collect();
        clients.into_iter().try_for_each(|client| client.join().unwrap_or_else(|_| anyhow::bail!("a client failed")))
    })?;
    Ok(began.elapsed())
}

fn put(connection: &mut Connection, n: usize, user: &User) -> Result<()> {
    let id = id(n);
    let record = json!({"id": id, "user": user.id, "label": format!("Board {n}"), "description": "An Arduino in a laboratory",
        "secret": format!("secret-of-{id}"), "protocol": "websocket", "address": format!("ws://lab:3569/{id}"),
        "type": "microflo"});
    let (status, body) = connection.ask("PUT", &format!("/runtimes/{id}"), None, &record.to_string())?;
    ensure!(status == 201, "{status} {body}");
    Ok(())
}

fn ping(connection: &mut Connection, n: usize) -> Result<()> {
    let (status, body) = connection.ask("POST", &format!("/runtimes/{}", id(n)), None, "{}")?;
    ensure!(status == 200, "{status} {body}");
    Ok(())
}

fn id(n: usize) -> String {
    format!("{n:08x}-1111-4111-8111-111111111111")
}

fn watch(port: u16, user: &User) -> Result<TcpStream> {
    let mut connection = Connection::open(port)?;
    connection.send("GET", "/runtimes/events", Some(&user.token), "")?;
    let mut line = String::new();
    while !line.contains("watching") {
        line.clear();
        ensure!(connection.reader.read_line(&mut line)? > 0, "the stream did not begin");
    }
    Ok(connection.reader.into_inner())
}

/// One connection, kept open.
struct Connection {
    reader: BufReader<TcpStream>,
    port: u16,
}

impl Connection {
    fn open(port: u16) -> Result<Connection> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        Ok(Connection { reader: BufReader::new(stream), port })
    }

    fn send(&mut self, method: &str, path: &str, token: Option<&str>, body: &str) -> Result<()> {
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let length = body.len();
        let host = self.port;
        let head =
            format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{host}\r\n{token}Content-Length: {length}\r\n\r\n");
        self.reader.get_mut().write_all((head + body).as_bytes())?;
        Ok(())
    }

    fn ask(&mut self, method: &str, path: &str, token: Option<&str>, body: &str) -> Result<(u16, String)> {
        self.send(method, path, token, body)?;
        let mut line = String::new();
        self.reader.read_line(&mut line)?;
        let status = line.split(' ').nth(1).context("no status")?.parse()?;
        let mut length = 0;
        loop {
            line.clear();
            self.reader.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = text.trim().parse()?;
            }
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body)?;
        Ok((status, String::from_utf8(body)?))
    }
}
