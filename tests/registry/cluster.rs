//! A PostgreSQL of one test: own directory, own port, own superuser with a password.

use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::PATIENCE;

/// The superuser's password, which must appear nowhere.
pub(crate) const PASSWORD: &str = "pg-passw0rd-to-look-for";
const USER: &str = "registry";
/// PostgreSQL refuses to run as root: then it runs as nobody.
const NOBODY: u32 = 65_534;

pub(crate) struct Cluster {
    dir: TempDir,
    port: u16,
    server: Option<Child>,
}

impl Cluster {
    /// A new one, running.
    pub(crate) fn start() -> Cluster {
        let mut cluster = Cluster::stopped();
        cluster.run();
        cluster
    }

    /// A new one that does not run yet.
    pub(crate) fn stopped() -> Cluster {
        let dir = tempfile::tempdir().unwrap();
        if is_root() {
            chown(dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let password = dir.path().join("password");
        std::fs::write(&password, PASSWORD).unwrap();
        let cluster = Cluster { dir, port, server: None };
        let output = cluster
            .program("initdb")
            .args(["--auth=scram-sha-256", "--no-sync", "--encoding=UTF8", "--locale=C", "--username", USER])
            .arg("--pwfile")
            .arg(&password)
            .arg("--pgdata")
            .arg(cluster.data())
            .output()
            .unwrap();
        assert!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr));
        cluster
    }

    /// Starts it, and waits until it answers.
    pub(crate) fn run(&mut self) {
        let log = std::fs::File::create(self.dir.path().join("log")).unwrap();
        let port = self.port.to_string();
        let server = self
            .program("postgres")
            .arg("-D")
            .arg(self.data())
            .args(["-p", &port, "-c", "listen_addresses=127.0.0.1", "-c", "log_min_messages=warning", "-k"])
            .arg(self.dir.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.server = Some(server);
        let began = Instant::now();
        while !self.psql("SELECT 1").status.success() {
            assert!(began.elapsed() < PATIENCE, "{}", self.log());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops it at once, whoever is connected.
    pub(crate) fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            // SIGINT: fast shutdown. Its own child, by pid.
            let _ = Command::new("kill").args(["-INT", &server.id().to_string()]).status();
            let _ = server.wait();
        }
    }

    /// Where its database is.
    pub(crate) fn url(&self) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{}/postgres", self.port)
    }

    /// The same by its socket.
    pub(crate) fn socket_url(&self) -> String {
        let host = self.dir.path().display();
        format!("postgres:///postgres?host={host}&port={}&user={USER}&password={PASSWORD}", self.port)
    }

    /// Asks as its superuser.
    pub(crate) fn psql(&self, query: &str) -> std::process::Output {
        let port = self.port.to_string();
        Command::new(self.path("psql"))
            .args(["-X", "-A", "-t", "-h", "127.0.0.1", "-p", &port, "-U", USER, "-c", query, "postgres"])
            .env("PGPASSWORD", PASSWORD)
            .output()
            .unwrap()
    }

    /// What it logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// Debian keeps a server's programs out of the way.
    fn path(&self, name: &str) -> PathBuf {
        let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> =
            versions.map(|version| version.path().join("bin").join(name)).filter(|path| path.exists()).collect();
        found.sort();
        found.pop().unwrap_or_else(|| PathBuf::from(name))
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.path(name));
        command.current_dir(self.dir.path());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.stop();
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(Path::new("/proc/self")).is_ok_and(|process| process.uid() == 0)
}
