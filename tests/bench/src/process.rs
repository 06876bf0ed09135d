//! The programs that are measured, started as a user starts them.

use std::ffi::OsStr;
use std::fs::{File, read_to_string};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Pause between two looks at something that is being waited for.
const PAUSE: Duration = Duration::from_micros(500);

/// The repository.
pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn bridge_program() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from);
    target.join("release/microflo-bridge")
}

/// Where the real firmware is.
pub(crate) fn rig() -> PathBuf {
    std::env::var_os("MICROFLO_RIG_DIR").map_or_else(|| repository().join("target/rig"), PathBuf::from)
}

/// A child process, ended when dropped.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Result<Process> {
        command.stdin(Stdio::null());
        Ok(Process(command.spawn().with_context(|| format!("{:?} did not start", command.get_program()))?))
    }

    /// Its memory now, in kB: all that is resident, and that with shared pages counted by their share.
    pub(crate) fn memory(&self) -> Result<Memory> {
        let field = |file: &str, name: &str| -> Result<u64> {
            let text = read_to_string(format!("/proc/{}/{file}", self.0.id()))?;
            let line = text.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
            Ok(line.trim().trim_end_matches("kB").trim().parse()?)
        };
        Ok(Memory { rss: field("status", "VmRSS:")?, pss: field("smaps_rollup", "Pss:")? })
    }

    /// The processor time that it has used.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        let stat = read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // The name may hold spaces, but nothing after it does. User and system time are fields 14 and 15.
        let (_, rest) = stat.rsplit_once(") ").context("no name")?;
        let ticks: u64 = rest.split(' ').skip(11).take(2).map(|field| field.parse::<u64>().unwrap_or(0)).sum();
        Ok(Duration::from_secs(1) * u32::try_from(ticks)? / u32::try_from(rustix::param::clock_ticks_per_second())?)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.0.id()).ok().and_then(rustix::process::Pid::from_raw) {
            // It may have ended by itself.
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.0.wait();
    }
}

/// In kB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) rss: u64,
    pub(crate) pss: u64,
}

/// A board: real firmware behind a link.
#[derive(Debug)]
pub(crate) struct Firmware {
    pub(crate) link: PathBuf,
    pub(crate) map: PathBuf,
    _process: Process,
    _dir: TempDir,
}

impl Firmware {
    /// microflo's own build for Linux.
    pub(crate) fn linux(graph: &str) -> Result<Firmware> {
        let built = rig().join("linux").join(graph);
        // Upstream's host looks for that ending.
        Firmware::start(&built, |link| {
            let mut command = Command::new(built.join("firmware"));
            command.arg(link);
            command
        })
    }

    /// microflo's own build for an Arduino Mega, in an emulator with a 9600-baud line.
    pub(crate) fn mega(graph: &str) -> Result<Firmware> {
        let built = rig().join("avr").join(format!("mega-{graph}"));
        Firmware::start(&built, |link| {
            let mut command = Command::new(rig().join("avrboard"));
            command.args(["--mcu", "atmega2560", "--elf"]).arg(built.join("fw.elf")).arg("--link").arg(link);
            command
        })
    }

    fn start(built: &Path, command: impl FnOnce(&Path) -> Command) -> Result<Firmware> {
        let dir = TempDir::new()?;
        let link = dir.path().join("board.microflo");
        let process = Process::start(command(&link).stdout(Stdio::null()).stderr(Stdio::null()))?;
        wait("the board", || Ok(link.exists()))?;
        Ok(Firmware { link, map: built.join("componentlib-map.json"), _process: process, _dir: dir })
    }

    /// For the bridge.
    pub(crate) fn device(&self) -> String {
        format!("--device={},components={}", self.link.display(), self.map.display())
    }
}

/// A host under test, listening.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) process: Process,
    pub(crate) port: u16,
    /// From its start to its first answer.
    pub(crate) started: Duration,
    state: Option<PathBuf>,
}

impl Host {
    /// The bridge, on that state directory.
    pub(crate) fn bridge<I: IntoIterator<Item: AsRef<OsStr>>>(state: &Path, args: I) -> Result<Host> {
        let port = free_port()?;
        let mut command = Command::new(bridge_program());
        command.args(["run", "--listen", &format!("127.0.0.1:{port}"), "--state-dir"]).arg(state).args(args);
        let mut host = Host::start(command, port, &state.with_extension("log"))?;
        host.state = Some(state.to_owned());
        Ok(host)
    }

    /// microflo's own host. It is told not to wait for the board's reset, which is its fastest way.
    pub(crate) fn upstream(board: &Firmware) -> Result<Host> {
        let port = free_port()?;
        let mut command = Command::new(repository().join("tests/firmware/clients/upstream-runtime.sh"));
        command.arg(&board.link).arg(&board.map).arg(port.to_string());
        Host::start(command, port, &board.link.with_extension("log"))
    }

    fn start(mut command: Command, port: u16, log: &Path) -> Result<Host> {
        let log = File::create(log)?;
        let began = Instant::now();
        let process = Process::start(command.stdout(log.try_clone()?).stderr(log))?;
        wait("an answer", || Ok(get(port, "/").is_ok()))?;
        Ok(Host { process, port, started: began.elapsed(), state: None })
    }

    /// The bridge's boards, as everybody may see them.
    pub(crate) fn boards(&self) -> Result<Vec<Value>> {
        let answer = get(self.port, "/api/boards")?;
        let (_, body) = answer.split_once("\r\n\r\n").context("no body")?;
        Ok(serde_json::from_str(body)?)
    }

    /// Waits until the bridge has so many boards ready.
    pub(crate) fn wait_ready(&self, count: usize) -> Result<()> {
        wait("boards to be ready", || {
            Ok(self.boards()?.iter().filter(|board| board["state"] == "ready").count() == count)
        })
    }

    /// Id and secret of the bridge's only board.
    pub(crate) fn only_board(&self) -> Result<(String, String)> {
        let list: Value = serde_json::from_slice(&self.cli(&["list", "--json"])?)?;
        let live = list[0]["liveUrl"].as_str().context("no live URL")?;
        let (_, secret) = live.rsplit_once("secret%3D").context("no secret")?;
        Ok((list[0]["id"].as_str().context("no id")?.to_owned(), secret.to_owned()))
    }

    /// What a command of the bridge prints; it must succeed.
    pub(crate) fn cli(&self, args: &[&str]) -> Result<Vec<u8>> {
        let state = self.state.as_deref().context("not the bridge")?;
        let output = Command::new(bridge_program()).args(args).arg("--state-dir").arg(state).output()?;
        anyhow::ensure!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(output.stdout)
    }
}

/// An HTTP answer, if there is a good one.
fn get(port: u16, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Ok(answer)
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Waits until that holds.
pub(crate) fn wait(what: &str, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let began = Instant::now();
    while !holds()? {
        if began.elapsed() > PATIENCE {
            bail!("waited {PATIENCE:?} in vain for {what}");
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

/// The bridge's simulated boards in a process of their own.
pub(crate) fn simulate(count: usize, dir: &Path) -> Result<Process> {
    let mut command = Command::new(bridge_program());
    command.args(["simulate", "--count", &count.to_string(), "--dir"]).arg(dir).stdout(Stdio::null());
    let process = Process::start(&mut command)?;
    let last = dir.join(format!("board-{count}"));
    wait("the simulated boards", || Ok(last.exists()))?;
    Ok(process)
}
