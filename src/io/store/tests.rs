//! Each on a state directory of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::pure::identity::SerialMemory;
use crate::pure::identity::told::{MARKS_PER_PLACE, stored_key};
use crate::pure::registry::{Caller, Patch, Refusal, UnixMillis};
use crate::pure::secret::Secret;

const ID: Uuid = Uuid::from_u128(0x11111111_1111_4111_8111_111111111111);
const OTHER: Uuid = Uuid::from_u128(0x22222222_2222_4222_8222_222222222222);

struct Bench {
    dir: tempfile::TempDir,
}

impl Bench {
    fn new() -> Bench {
        Bench { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> std::path::PathBuf {
        self.dir.path().join("state")
    }

    async fn open(&self) -> Store {
        Store::open(&self.path()).await.unwrap()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn state_is_for_its_owner_only() {
    let bench = Bench::new();
    let store = bench.open().await;
    store.ensure_board(ID).await.unwrap();
    assert_eq!(mode(&bench.path()), 0o700);
    let files: Vec<_> = fs::read_dir(bench.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    for name in ["state.db", "state.db-wal", "state.db-shm", "lock", "registry-token"] {
        assert!(files.contains(&bench.path().join(name)), "{name} in {files:?}");
    }
    for file in files {
        assert_eq!(mode(&file), 0o600, "{file:?}");
    }
}

#[tokio::test]
async fn a_database_that_others_could_read_is_closed_to_them() {
    let bench = Bench::new();
    drop(bench.open().await);
    let file = bench.path().join("state.db");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let _store = bench.open().await;
    assert_eq!(mode(&file), 0o600);
}

#[tokio::test]
async fn a_second_bridge_is_told_whose_directory_it_is() {
    let bench = Bench::new();
    let store = bench.open().await;
    let error = Store::open(&bench.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::InUse { pid: Some(pid), .. } if pid == std::process::id()), "{error}");
    assert!(error.to_string().contains(&format!("(pid {})", std::process::id())), "{error}");
    store.close().await;
    drop(store);
    bench.open().await;
}

#[tokio::test]
async fn a_directory_that_cannot_be_made_is_named() {
    let bench = Bench::new();
    fs::write(bench.path(), "a file").unwrap();
    let error = Store::open(&bench.path()).await.unwrap_err();
    assert!(error.to_string().contains(bench.path().to_str().unwrap()), "{error}");
}

#[tokio::test]
async fn state_of_a_newer_bridge_is_not_touched() {
    let bench = Bench::new();
    let store = bench.open().await;
    sqlx::query("INSERT INTO _sqlx_migrations VALUES (9999, 'later', CURRENT_TIMESTAMP, 1, x'00', 0)")
        .execute(&store.database.durable)
        .await
        .unwrap();
    drop(store);
    assert!(matches!(Store::open(&bench.path()).await, Err(StoreError::Newer { .. })));
}

#[tokio::test]
async fn a_board_keeps_its_secret_and_label_over_a_restart() {
    let bench = Bench::new();
    let store = bench.open().await;
    assert_eq!(store.board(ID).await.unwrap(), None);
    let made = store.ensure_board(ID).await.unwrap();
    assert!(made.label.is_none() && made.secret.expose().len() >= 43);
    store.set_label(ID, Some("Blinky")).await.unwrap();
    drop(store);

    let store = bench.open().await;
    let kept = store.ensure_board(ID).await.unwrap();
    assert_eq!(kept, BoardRecord { label: Some("Blinky".to_owned()), ..made });
    store.set_label(ID, None).await.unwrap();
    assert_eq!(store.board(ID).await.unwrap().unwrap().label, None);
}

#[tokio::test]
async fn boards_that_come_together_each_get_one_secret() {
    let bench = Bench::new();
    let store = bench.open().await;
    let (one, two) = tokio::join!(store.ensure_board(ID), store.ensure_board(ID));
    assert_eq!(one.unwrap(), two.unwrap());
}

#[tokio::test]
async fn host_key_is_made_once() {
    let bench = Bench::new();
    let key = bench.open().await.host_key().await.unwrap();
    assert_eq!(bench.open().await.host_key().await.unwrap(), key);
    assert_ne!(Bench::new().open().await.host_key().await.unwrap(), key);
}

#[tokio::test]
async fn serials_overrides_and_answers_are_remembered() {
    let bench = Bench::new();
    let store = bench.open().await;
    let row = |path: &str, shared| SerialMemory { last_path: path.to_owned(), shared };
    store.save_serial("2341:0043:A:0", &row("usb-1", false)).await.unwrap();
    store.save_serial("2341:0043:A:0", &row("usb-1", true)).await.unwrap();
    store.save_id_override(OTHER, ID).await.unwrap();
    store.save_board_answer(ID, false).await.unwrap();
    store.save_board_answer(ID, true).await.unwrap();
    store.save_chip_answer(0x1a86, 0x7523, false).await.unwrap();
    drop(store);

    let store = bench.open().await;
    assert_eq!(store.load_serials().await.unwrap(), [("2341:0043:A:0".to_owned(), row("usb-1", true))].into());
    assert_eq!(store.load_id_overrides().await.unwrap(), [(OTHER, ID)].into());
    let answers = store.load_answers().await.unwrap();
    assert_eq!(answers.boards, [(ID, true)].into());
    assert_eq!(answers.chips, [((0x1a86, 0x7523), false)].into());
}

#[tokio::test]
async fn registrations_are_kept_per_registry_with_their_last_error() {
    let bench = Bench::new();
    let store = bench.open().await;
    store.remember_registration("a", ID).await.unwrap();
    store.note_registration_error("a", ID, Some("down")).await.unwrap();
    store.remember_registration("a", ID).await.unwrap();
    store.remember_registration("b", ID).await.unwrap();
    drop(store);

    let store = bench.open().await;
    let row = |error: Option<&str>| StoredRegistration { board: ID, last_error: error.map(str::to_owned) };
    assert_eq!(store.registrations("a").await.unwrap(), [row(Some("down"))]);
    store.note_registration_error("a", ID, None).await.unwrap();
    assert_eq!(store.registrations("a").await.unwrap(), [row(None)]);
    store.forget_registration("a", ID).await.unwrap();
    assert_eq!(store.registrations("a").await.unwrap(), []);
    assert_eq!(store.registrations("b").await.unwrap(), [row(None)]);
}

#[tokio::test]
async fn local_user_keeps_id_and_token_and_gets_a_new_token_when_the_file_is_lost() {
    let bench = Bench::new();
    let store = bench.open().await;
    let user = store.registry().local_user().await.unwrap();
    let known = store.registry().user_by_token(user.token.expose()).await.unwrap().unwrap();
    assert_eq!((known.id, known.name.as_str()), (user.id, "local"));
    assert_eq!(store.registry().user_by_token("").await.unwrap(), None);
    drop(store);
    assert_eq!(bench.open().await.registry().local_user().await.unwrap(), user);

    for damage in ["", "short"] {
        fs::write(bench.path().join("registry-token"), damage).unwrap();
        let store = bench.open().await;
        let other = store.registry().local_user().await.unwrap();
        assert_eq!(other.id, user.id);
        assert_ne!(other.token, user.token);
        assert_eq!(store.registry().user_by_token(user.token.expose()).await.unwrap(), None);
        assert!(store.registry().user_by_token(other.token.expose()).await.unwrap().is_some());
        assert_eq!(mode(&bench.path().join("registry-token")), 0o600);
    }
}

#[tokio::test]
async fn runtimes_survive_a_restart_with_unknown_keys_and_secret() {
    let bench = Bench::new();
    let store = bench.open().await;
    let owner = Caller::local(Some(store.registry().local_user().await.unwrap().id));
    let body = json!({"address": "ws://localhost/x", "protocol": "websocket", "type": "microflo", "secret": "hush",
        "capabilities": ["a"]});
    let put = store.registry().put(ID, Patch::parse(ID, body).unwrap(), owner, UnixMillis(5)).await.unwrap();
    store.registry().ping(ID, UnixMillis(7)).await.unwrap();
    drop(store);

    let store = bench.open().await;
    let registry = store.registry();
    let kept = registry.get(ID, owner).await.unwrap();
    assert_eq!(kept.record, put.entry.record);
    assert_eq!((kept.registered, kept.seen), (UnixMillis(5), UnixMillis(7)));
    assert_eq!(registry.list(owner, None).await.unwrap(), [kept]);
    registry.delete(ID, owner).await.unwrap();
    assert!(matches!(registry.get(ID, owner).await, Err(RegistryError::Refused(Refusal::NotFound))));
    assert!(matches!(registry.ping(ID, UnixMillis(8)).await, Err(RegistryError::Refused(Refusal::NotFound))));
}

#[tokio::test]
async fn no_secret_shows_in_debug() {
    let bench = Bench::new();
    let store = bench.open().await;
    let board = store.ensure_board(ID).await.unwrap();
    let user = store.registry().local_user().await.unwrap();
    let shown = format!("{store:?} {board:?} {user:?} {:?}", store.host_key().await.unwrap());
    for secret in [&board.secret, &user.token] as [&Secret; 2] {
        assert!(!shown.contains(secret.expose()));
    }
}

#[tokio::test]
async fn what_boards_say_of_their_firmware_is_remembered_and_the_oldest_forgotten() {
    use crate::pure::descriptor::{Options, compile};
    use crate::pure::introduction::{DESCRIPTORS, Descriptor};
    use crate::pure::model::build::Build;
    use firmware_proto::Dialect;

    let described = |dialect: Dialect, number: usize| {
        let map = format!(r#"{{"components":{{"Part{number}":{{"id":1}}}}}}"#);
        let options = Options { dialect, node_limit: 50, message_limit: 50, label: String::new() };
        let bytes = compile(&Build::read(&map, None, "").unwrap(), &options).unwrap();
        Descriptor::of(&bytes, dialect).unwrap()
    };
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).await.unwrap();
    let all: Vec<Descriptor> = (0..=DESCRIPTORS).map(|number| described(Dialect::ALL[number % 2], number)).collect();
    for descriptor in &all {
        store.save_descriptor(descriptor).await.unwrap();
    }
    store.save_descriptor(&all[DESCRIPTORS]).await.unwrap();
    let known = store.descriptors().await.unwrap();
    assert_eq!(known.get(all[0].fingerprint), None);
    for descriptor in &all[1..] {
        assert_eq!(known.get(descriptor.fingerprint).map(|known| &**known), Some(descriptor));
    }

    let database =
        sqlx::SqlitePool::connect(&format!("sqlite:{}", dir.path().join("state.db").display())).await.unwrap();
    sqlx::query("UPDATE descriptors SET bytes = zeroblob(30) WHERE number % 2 = 0").execute(&database).await.unwrap();
    let known = store.descriptors().await.unwrap();
    let left = all.iter().filter(|descriptor| known.get(descriptor.fingerprint).is_some()).count();
    assert!((1..DESCRIPTORS).contains(&left), "those that are damaged are read again: {left}");
}

#[tokio::test]
async fn of_the_ids_that_boards_in_one_place_store_the_newest_are_kept() {
    let bench = Bench::new();
    let store = bench.open().await;
    let id = |number: usize| Uuid::from_u128(ID.as_u128() + number as u128);
    let row = |shared| SerialMemory { last_path: "here".to_owned(), shared };
    let elsewhere = SerialMemory { last_path: "there".to_owned(), shared: false };
    store.save_serial(&stored_key(OTHER), &elsewhere).await.unwrap();
    store.save_serial("2341:0043:A:0", &row(false)).await.unwrap();
    let mut forgotten = Vec::new();
    for number in 0..MARKS_PER_PLACE + 4 {
        store.ensure_board(id(number)).await.unwrap();
        store.save_serial(&stored_key(id(number)), &row(number == 0)).await.unwrap();
        if number == 1 {
            store.set_label(id(1), Some("Gate")).await.unwrap();
        }
        forgotten.extend(store.forget_old_marks("here").await.unwrap());
    }
    assert_eq!(forgotten, [1, 2, 3].map(|number| stored_key(id(number))), "the oldest, but not the shared one");
    let kept = store.load_serials().await.unwrap();
    assert_eq!(kept.len(), 2 + MARKS_PER_PLACE + 1);
    assert!(forgotten.iter().all(|key| !kept.contains_key(key)));
    for (number, is_kept) in [(0, true), (1, true), (2, false), (3, false), (4, true)] {
        assert_eq!(store.board(id(number)).await.unwrap().is_some(), is_kept, "{number}");
    }
}
