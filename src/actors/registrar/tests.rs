//! End to end: a fake supervisor, the real store, and other registries behind real sockets.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Instant;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use serde_json::Value;
use tokio::task::JoinHandle;

use super::*;
use crate::actors::directory::{DirectoryServer, Request, Secrets};
use crate::io::registry_client::Limits;
use crate::pure::backoff::Backoff;
use crate::pure::port::Port;
use crate::pure::registry::Caller;
use crate::pure::secret::Secret;
use crate::pure::view::{BoardState, RegistryStatus};

const BOARD: Uuid = Uuid::from_u128(0x11111111_1111_4111_8111_111111111111);
const OWNER: Uuid = Uuid::from_u128(0xaaaaaaaa_aaaa_4aaa_8aaa_aaaaaaaaaaaa);
const DEBOUNCE: Duration = Duration::from_millis(300);
const TIMING: Timing = Timing {
    ping: Duration::from_millis(60),
    backoff: Backoff { base: Duration::from_millis(20), max: Duration::from_millis(80) },
};
const LIMITS: Limits = Limits { connect: Duration::from_secs(5), total: Duration::from_secs(5) };
/// A test that waits longer has failed.
const PATIENCE: Duration = Duration::from_secs(10);

fn board(label: &str, state: BoardState) -> BoardView {
    BoardView {
        id: BOARD,
        rung: "simulated",
        label: label.to_owned(),
        port: Port::Simulated(0),
        firmware: None,
        state,
        reason: String::new(),
        warnings: Vec::new(),
        components: None,
        clients: 0,
        linger: DEBOUNCE,
        wish: Default::default(),
        registries: Vec::new(),
    }
}

/// A bridge's registrar, with everything around it.
struct Bench {
    store: Store,
    owner: Caller,
    views: watch::Sender<Arc<Vec<BoardView>>>,
    control: watch::Sender<Registries>,
    statuses: watch::Receiver<Statuses>,
    tasks: [JoinHandle<()>; 2],
}

impl Bench {
    async fn start(state: PathBuf, remotes: Vec<RemoteRegistry>) -> Bench {
        let store = Store::open(&state).await.unwrap();
        let owner = Caller::local(Some(store.registry().local_user().await.unwrap().id));
        let (directory, DirectoryServer { views, mut requests, .. }) = Directory::new();
        let secrets = tokio::spawn(async move {
            while let Some(request) = requests.recv().await {
                if let Request::Secrets { reply, .. } = request {
                    let _ = reply.send(Ok(Secrets { full: Secret::new("board-secret"), read: Secret::new("look") }));
                }
            }
        });
        let (control, registries) = watch::channel(Registries { embedded: true, remotes });
        let config = RegistrarConfig {
            timing: TIMING,
            leftover_linger: DEBOUNCE,
            ..RegistrarConfig::new(directory, store.clone(), registries, |id| format!("ws://localhost:3569/{id}"))
        };
        let (registrar, statuses) = Registrar::new(config).await.unwrap();
        Bench { store, owner, views, control, statuses, tasks: [secrets, tokio::spawn(registrar.run())] }
    }

    fn show(&self, boards: &[BoardView]) {
        self.views.send_replace(Arc::new(boards.to_vec()));
    }

    fn show_ready(&self) {
        self.show(&[board("Blinky", BoardState::Ready)]);
    }

    async fn embedded(&self) -> Option<Value> {
        let entry = self.store.registry().get(BOARD, self.owner).await.ok()?;
        Some(Value::Object(entry.to_json(true)))
    }

    fn status(&self, registry: &str) -> Option<RegistryStatus> {
        self.statuses.borrow().get(&BOARD)?.iter().find(|line| line.registry == registry).cloned()
    }

    async fn until_registered(&mut self, registry: &str) -> RegistryStatus {
        self.until_status(registry, |status| status.registered).await
    }

    async fn until_status(&mut self, registry: &str, fits: impl Fn(&RegistryStatus) -> bool) -> RegistryStatus {
        let waiting = async {
            loop {
                if let Some(status) = self.status(registry).filter(|status| fits(status)) {
                    return status;
                }
                self.statuses.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect(registry)
    }

    /// As by kill -9, except that the process goes on.
    async fn kill(self) {
        for task in self.tasks {
            task.abort();
            let _ = task.await;
        }
    }
}

/// Somebody else's registry: keeps records, notes calls, and is as bad as it is told to be.
#[derive(Clone, Default)]
struct Elsewhere {
    records: Arc<Mutex<HashMap<String, Value>>>,
    calls: Arc<Mutex<Vec<String>>>,
    /// Answers everything with this status, if not 0.
    fails: Arc<AtomicU16>,
}

impl Elsewhere {
    async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router =
            Router::new().route("/runtimes/{id}", axum::routing::any(Elsewhere::answer)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    async fn answer(State(this): State<Elsewhere>, method: Method, Path(id): Path<String>, body: String) -> StatusCode {
        this.calls.lock().unwrap().push(method.to_string());
        if let Ok(status) = StatusCode::from_u16(this.fails.load(Ordering::Relaxed)) {
            return status;
        }
        let mut records = this.records.lock().unwrap();
        match (method.as_str(), records.contains_key(&id)) {
            ("PUT", _) => drop(records.insert(id, serde_json::from_str(&body).unwrap())),
            (_, false) => return StatusCode::NOT_FOUND,
            ("DELETE", true) => drop(records.remove(&id)),
            (_, true) => {}
        }
        StatusCode::OK
    }

    fn record(&self) -> Option<Value> {
        self.records.lock().unwrap().get(&BOARD.to_string()).cloned()
    }

    fn calls(&self, method: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|call| *call == method).count()
    }
}

fn remote(url: &str, with_token: bool) -> RemoteRegistry {
    let token = with_token.then(|| Secret::new("user-token"));
    RemoteRegistry { client: RegistryClient::new(url, token, LIMITS).unwrap(), user: OWNER, default: true }
}

async fn until(what: &str, mut fits: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !fits().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect(what);
}

#[tokio::test]
async fn a_board_comes_changes_and_goes_in_every_registry() {
    let state = tempfile::tempdir().unwrap();
    let elsewhere = Elsewhere::default();
    let url = elsewhere.serve().await;
    let mut bench = Bench::start(state.path().into(), vec![remote(&url, true), remote(&url, true)]).await;

    bench.show(&[board("Blinky", BoardState::Booting)]);
    bench.show_ready();
    for registry in [EMBEDDED, &url] {
        assert_eq!(bench.until_registered(registry).await.detail, "registered");
    }
    assert_eq!(
        bench.statuses.borrow()[&BOARD].len(),
        2,
        "a URL given twice counts once, and the embedded one is first"
    );
    let own = bench.embedded().await.unwrap();
    let theirs = elsewhere.record().unwrap();
    for (record, user) in [(&own, bench.owner.user.unwrap()), (&theirs, OWNER)] {
        assert_eq!(record["id"], BOARD.to_string());
        assert_eq!(record["user"], user.to_string());
        assert_eq!(record["address"], format!("ws://localhost:3569/{BOARD}"));
        assert_eq!((&record["protocol"], &record["type"]), (&"websocket".into(), &"microflo".into()));
        assert_eq!((&record["label"], &record["secret"]), (&"Blinky".into(), &"board-secret".into()));
    }

    bench.show(&[board("Lamp", BoardState::Ready)]);
    until("the label changed", async || {
        bench.embedded().await.is_some_and(|record| record["label"] == "Lamp")
            && elsewhere.record().is_some_and(|record| record["label"] == "Lamp")
    })
    .await;

    let unplugged = Instant::now();
    bench.show(&[board("Lamp", BoardState::Gone)]);
    until("gone", async || bench.embedded().await.is_none() && elsewhere.record().is_none()).await;
    assert!(unplugged.elapsed() >= DEBOUNCE);
    until("no status", async || bench.statuses.borrow().is_empty()).await;
    assert_eq!(bench.store.registrations(&url).await.unwrap(), []);
}

#[tokio::test]
async fn a_board_back_within_the_debounce_is_never_deleted() {
    let state = tempfile::tempdir().unwrap();
    let elsewhere = Elsewhere::default();
    let url = elsewhere.serve().await;
    let mut bench = Bench::start(state.path().into(), vec![remote(&url, true)]).await;
    bench.show_ready();
    bench.until_registered(&url).await;
    bench.show(&[]);
    tokio::time::sleep(DEBOUNCE / 10).await;
    bench.show(&[board("Blinky", BoardState::Handshaking)]);
    tokio::time::sleep(DEBOUNCE * 2).await;
    bench.show_ready();
    until("pings go on", async || elsewhere.calls("POST") >= 3).await;
    assert_eq!((elsewhere.calls("PUT"), elsewhere.calls("DELETE")), (1, 0));
}

#[tokio::test]
async fn a_hanging_registry_delays_no_other() {
    let state = tempfile::tempdir().unwrap();
    let hanging = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hanging = (format!("http://{}", hanging.local_addr().unwrap()), hanging);
    let elsewhere = Elsewhere::default();
    let url = elsewhere.serve().await;
    let mut bench = Bench::start(state.path().into(), vec![remote(&hanging.0, true), remote(&url, true)]).await;
    let plugged = Instant::now();
    bench.show_ready();
    bench.until_registered(EMBEDDED).await;
    bench.until_registered(&url).await;
    assert!(plugged.elapsed() < LIMITS.total / 2, "{:?}", plugged.elapsed());
    assert_eq!(bench.status(&hanging.0).unwrap().detail, "being registered");
}

#[tokio::test]
async fn what_a_killed_bridge_left_is_deleted_by_the_next() {
    let state = tempfile::tempdir().unwrap();
    let elsewhere = Elsewhere::default();
    let url = elsewhere.serve().await;
    let mut bench = Bench::start(state.path().into(), vec![remote(&url, true)]).await;
    bench.show_ready();
    bench.until_registered(&url).await;
    bench.until_registered(EMBEDDED).await;
    bench.kill().await;
    assert!(elsewhere.record().is_some());

    let bench = Bench::start(state.path().into(), vec![remote(&url, true)]).await;
    assert!(bench.embedded().await.is_some());
    until("leftovers deleted", async || bench.embedded().await.is_none() && elsewhere.record().is_none()).await;
}

#[tokio::test]
async fn a_board_that_is_still_there_after_a_restart_is_updated_not_deleted() {
    let state = tempfile::tempdir().unwrap();
    let elsewhere = Elsewhere::default();
    let url = elsewhere.serve().await;
    let mut bench = Bench::start(state.path().into(), vec![remote(&url, true)]).await;
    bench.show_ready();
    bench.until_registered(&url).await;
    bench.kill().await;

    let mut bench = Bench::start(state.path().into(), vec![remote(&url, true)]).await;
    bench.show(&[board("Lamp", BoardState::Ready)]);
    bench.until_registered(&url).await;
    assert_eq!(elsewhere.record().unwrap()["label"], "Lamp");
    assert_eq!((elsewhere.calls("PUT"), elsewhere.calls("DELETE")), (2, 0));
}

#[tokio::test]
async fn a_registry_that_was_down_gets_every_board_when_it_is_back() {
    let state = tempfile::tempdir().unwrap();
    let elsewhere = Elsewhere::default();
    elsewhere.fails.store(503, Ordering::Relaxed);
    let url = elsewhere.serve().await;
    let mut bench = Bench::start(state.path().into(), vec![remote(&url, true)]).await;
    bench.show_ready();
    let status = bench.until_status(&url, |status| status.detail.contains("503")).await;
    assert!(!status.registered && status.detail.ends_with("the bridge keeps trying"), "{}", status.detail);
    until("retries", async || elsewhere.calls("PUT") >= 3).await;
    let noted = bench.store.registrations(&url).await.unwrap();
    assert!(noted[0].last_error.as_ref().unwrap().contains("503"), "{noted:?}");
    elsewhere.fails.store(0, Ordering::Relaxed);
    bench.until_registered(&url).await;
}

#[tokio::test]
async fn a_registry_that_lost_its_records_gets_them_again() {
    let state = tempfile::tempdir().unwrap();
    let elsewhere = Elsewhere::default();
    let url = elsewhere.serve().await;
    let mut bench = Bench::start(state.path().into(), vec![remote(&url, true)]).await;
    bench.show_ready();
    bench.until_registered(&url).await;
    elsewhere.records.lock().unwrap().clear();
    until("put again", async || elsewhere.record().is_some()).await;
}

#[tokio::test]
async fn without_a_token_the_record_stays_and_status_says_so() {
    let state = tempfile::tempdir().unwrap();
    let elsewhere = Elsewhere::default();
    let url = elsewhere.serve().await;
    let mut bench = Bench::start(state.path().into(), vec![remote(&url, false)]).await;
    bench.show_ready();
    let status = bench.until_registered(&url).await;
    assert!(status.detail.contains("without a token"), "{}", status.detail);
    bench.show(&[]);
    until("gone here", async || bench.embedded().await.is_none()).await;
    assert!(elsewhere.record().is_some() && elsewhere.calls("DELETE") == 0);
    bench.kill().await;

    let _bench = Bench::start(state.path().into(), vec![remote(&url, true)]).await;
    until("a later run with a token deletes it", async || elsewhere.record().is_none()).await;
}

#[tokio::test]
async fn another_hosts_record_is_explained_and_left_alone() {
    let state = tempfile::tempdir().unwrap();
    let elsewhere = Elsewhere::default();
    elsewhere.fails.store(403, Ordering::Relaxed);
    let url = elsewhere.serve().await;
    let mut bench = Bench::start(state.path().into(), vec![remote(&url, false)]).await;
    bench.show_ready();
    bench.until_status(&url, |status| status.detail.contains("another host holds this board's record")).await;
    until("nothing to remember", async || bench.store.registrations(&url).await.unwrap().is_empty()).await;
    assert_eq!(elsewhere.calls("DELETE"), 0);
}

#[tokio::test]
async fn no_secret_shows_in_any_status() {
    let state = tempfile::tempdir().unwrap();
    let elsewhere = Elsewhere::default();
    let url = elsewhere.serve().await;
    let mut bench = Bench::start(state.path().into(), vec![remote(&url, true)]).await;
    bench.show_ready();
    bench.until_registered(&url).await;
    let shown = format!("{:?} {:?}", bench.statuses.borrow(), remote(&url, true));
    assert!(!shown.contains("board-secret") && !shown.contains("user-token"), "{shown}");
}

#[tokio::test]
async fn a_board_moves_to_its_own_registry_and_back_without_a_restart() {
    let state = tempfile::tempdir().unwrap();
    let (common, own) = (Elsewhere::default(), Elsewhere::default());
    let (common_url, own_url) = (common.serve().await, own.serve().await);
    let for_some = RemoteRegistry { default: false, ..remote(&own_url, true) };
    let registries = vec![remote(&common_url, true), for_some.clone()];
    let mut bench = Bench::start(state.path().into(), registries).await;
    bench.show_ready();
    bench.until_registered(&common_url).await;
    assert!(own.record().is_none() && bench.status(&own_url).is_none());

    let mut moved = board("Blinky", BoardState::Ready);
    let other_user = Uuid::from_u128(5);
    moved.wish.registries = Some(vec![own_url.clone()]);
    moved.wish.user = Some(other_user);
    moved.wish.description = Some("By the window".to_owned());
    bench.show(&[moved]);
    bench.until_registered(&own_url).await;
    let record = own.record().unwrap();
    assert_eq!((&record["user"], &record["description"]), (&other_user.to_string().into(), &"By the window".into()));
    until("removed from the others", async || common.record().is_none() && bench.embedded().await.is_none()).await;

    bench.show_ready();
    bench.until_registered(&common_url).await;
    until("removed from its own", async || own.record().is_none()).await;
    // A registry that nobody names any more, and one that is for all boards now.
    let for_all = RemoteRegistry { default: true, ..for_some };
    bench.control.send_replace(Registries { embedded: true, remotes: vec![for_all] });
    bench.until_registered(&own_url).await;
    until("removed from the one that is not named", async || common.record().is_none()).await;
}

#[tokio::test]
async fn a_token_that_comes_later_removes_what_remained() {
    let state = tempfile::tempdir().unwrap();
    let elsewhere = Elsewhere::default();
    let url = elsewhere.serve().await;
    let mut bench = Bench::start(state.path().into(), vec![remote(&url, false)]).await;
    bench.show_ready();
    bench.until_registered(&url).await;
    bench.show(&[board("Blinky", BoardState::Gone)]);
    bench.until_status(&url, |status| status.detail.contains("its record remains there: without a token")).await;
    bench.show_ready();
    bench.until_registered(&url).await;
    bench.control.send_replace(Registries { embedded: true, remotes: vec![remote(&url, true)] });
    assert_eq!(bench.until_status(&url, |status| !status.detail.contains("token")).await.detail, "registered");
    bench.show(&[board("Blinky", BoardState::Gone)]);
    until("deleted", async || elsewhere.record().is_none()).await;
}

#[tokio::test]
async fn the_registrar_ends_with_the_supervisor() {
    let state = tempfile::tempdir().unwrap();
    let bench = Bench::start(state.path().into(), Vec::new()).await;
    let Bench { views, tasks: [_, registrar], .. } = bench;
    drop(views);
    tokio::time::timeout(PATIENCE, registrar).await.expect("ends").unwrap();
}
