//! The registry's rules as tables.

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

const ID: Uuid = Uuid::from_u128(0x11111111_1111_4111_8111_111111111111);
const ALICE: Uuid = Uuid::from_u128(0xaaaaaaaa_aaaa_4aaa_8aaa_aaaaaaaaaaaa);
const BOB: Uuid = Uuid::from_u128(0xbbbbbbbb_bbbb_4bbb_8bbb_bbbbbbbbbbbb);
const THEN: UnixMillis = UnixMillis(1_000);
const NOW: UnixMillis = UnixMillis(2_000);

const STRANGER: Caller = Caller::remote(None);
const LOCAL: Caller = Caller::local(None);
const OWNER: Caller = Caller::remote(Some(ALICE));
const OTHER: Caller = Caller::remote(Some(BOB));

fn body() -> Value {
    json!({"id": ID, "user": ALICE, "address": "ws://localhost:3569/x", "protocol": "websocket", "type": "microflo",
        "label": "Blinky", "secret": "hush"})
}

fn with(key: &str, value: Value) -> Value {
    let mut body = body();
    body[key] = value;
    body
}

fn without(key: &str) -> Value {
    let mut body = body();
    body.as_object_mut().unwrap().remove(key);
    body
}

fn patch(body: Value) -> Patch {
    Patch::parse(ID, body).unwrap()
}

fn stored(body: Value) -> Entry {
    Entry { record: Record::create(ID, patch(body), None).unwrap(), registered: THEN, seen: THEN }
}

#[test]
fn bad_records_are_refused_with_the_key_that_is_wrong() {
    for (body, error) in [
        (json!([]), Invalid::NotAnObject),
        (json!("constructor"), Invalid::NotAnObject),
        (with("id", json!(BOB)), Invalid::OtherId),
        (with("id", json!(7)), Invalid::NotAString("id")),
        (with("user", json!("alice")), Invalid::NotAUuid),
        (without("user"), Invalid::Missing("user")),
        (without("address"), Invalid::Missing("address")),
        (with("address", json!(null)), Invalid::Missing("address")),
        (with("address", json!(" ")), Invalid::NotText("address")),
        (with("protocol", json!("web\nsocket")), Invalid::NotText("protocol")),
        (without("protocol"), Invalid::Missing("protocol")),
        (without("type"), Invalid::Missing("type")),
        (with("type", json!(["microflo"])), Invalid::NotAString("type")),
        (with("secret", json!(["hush"])), Invalid::NotAString("secret")),
        (with("label", json!("x".repeat(257))), Invalid::TooLong { key: "label", limit: 256 }),
        (with("graph", json!("x".repeat(RECORD_LIMIT_BYTES))), Invalid::TooLarge),
    ] {
        let result = Patch::parse(ID, body.clone()).and_then(|patch| Record::create(ID, patch, None));
        assert_eq!(result, Err(error), "{}", body.to_string().chars().take(200).collect::<String>());
    }
}

#[test]
fn unknown_keys_are_kept_and_the_registrys_own_are_not_taken_from_clients() {
    let mut body = with("seenHoursAgo", json!(3));
    body["capabilities"] = json!(["protocol:graph"]);
    body["registered"] = json!("1999");
    let json = stored(body).to_json(true);
    assert_eq!(json["seenHoursAgo"], 3);
    assert_eq!(json["capabilities"], json!(["protocol:graph"]));
    assert_eq!(json["registered"], "1970-01-01T00:00:01.000Z");
    assert_eq!(json["secret"], "hush");
}

#[test]
fn a_record_survives_being_written_and_read() {
    let record = stored(with("extra", json!({"a": [1, 2]}))).record;
    let again = Record::create(ID, patch(Value::Object(record.to_json())), None).unwrap();
    assert_eq!(again, record);
}

#[test]
fn who_may_create() {
    for (who, caller, user, result) in [
        ("a local program", LOCAL, Some(ALICE), Ok(ALICE)),
        ("a stranger", STRANGER, Some(ALICE), Err(Refusal::AnonymousCreate)),
        ("a user", OWNER, Some(ALICE), Ok(ALICE)),
        ("a user who names nobody", OWNER, None, Ok(ALICE)),
        ("a local program that names nobody", LOCAL, None, Err(Invalid::Missing("user").into())),
        ("a user for another", OTHER, Some(ALICE), Err(Refusal::ForeignOwner)),
        ("a local user for another", Caller::local(Some(BOB)), Some(ALICE), Ok(ALICE)),
    ] {
        let body = user.map_or_else(|| without("user"), |user| with("user", json!(user)));
        let made = put(None, ID, patch(body), caller, NOW);
        assert_eq!(made.as_ref().map(|put| put.entry.record.user), result.as_ref().copied(), "{who}");
        if let Ok(put) = made {
            assert!(put.created && put.entry.registered == NOW && put.entry.seen == NOW);
        }
    }
}

#[test]
fn an_update_needs_the_stored_secret_or_the_owners_token() {
    for (what, caller, offered, allowed) in [
        ("the same secret", STRANGER, json!("hush"), true),
        ("another secret", STRANGER, json!("loud"), false),
        ("another secret from this machine", LOCAL, json!("loud"), false),
        ("no secret", LOCAL, json!(null), false),
        ("an empty secret", LOCAL, json!(""), false),
        ("another secret and the owner's token", OWNER, json!("loud"), true),
        ("no secret and the owner's token", OWNER, json!(null), true),
        ("another user's token", OTHER, json!("loud"), false),
        ("another user's token and the secret", OTHER, json!("hush"), true),
    ] {
        let result = put(Some(stored(body())), ID, patch(with("secret", offered)), caller, NOW);
        match allowed {
            true => assert!(result.is_ok(), "{what}"),
            false => assert_eq!(result, Err(Refusal::WrongSecret), "{what}"),
        }
    }
}

#[test]
fn a_record_without_secret_is_updated_from_this_machine_or_by_its_owner() {
    for (caller, offered, allowed) in
        [(LOCAL, "", true), (STRANGER, "", false), (LOCAL, "new", false), (OWNER, "new", true), (OTHER, "", false)]
    {
        let result = put(Some(stored(without("secret"))), ID, patch(with("secret", json!(offered))), caller, NOW);
        assert_eq!(result.is_ok(), allowed, "{caller:?} {offered:?}");
    }
}

#[test]
fn an_update_merges_keys_and_keeps_the_day_of_registration() {
    let change = json!({"secret": "hush", "label": "Lamp", "description": null, "extra": 1});
    let put = put(Some(stored(with("description", json!("a lamp")))), ID, patch(change), STRANGER, NOW).unwrap();
    let json = put.entry.to_json(true);
    assert!(!put.created);
    assert_eq!(json["label"], "Lamp");
    assert_eq!(json["description"], "a lamp");
    assert_eq!(json["address"], "ws://localhost:3569/x");
    assert_eq!(json["extra"], 1);
    assert_eq!((put.entry.registered, put.entry.seen), (THEN, NOW));
}

#[test]
fn the_owner_does_not_lose_the_secret_by_leaving_it_out() {
    let put = put(Some(stored(body())), ID, patch(json!({"secret": "", "label": "Lamp"})), OWNER, NOW).unwrap();
    assert_eq!(put.entry.to_json(true)["secret"], "hush");
}

#[test]
fn extra_keys_cannot_pile_up_beyond_the_limit() {
    let half = "x".repeat(RECORD_LIMIT_BYTES / 2);
    let result = put(Some(stored(with("a", json!(half)))), ID, patch(json!({"secret": "hush", "b": half})), LOCAL, NOW);
    assert_eq!(result, Err(Invalid::TooLarge.into()));
}

#[test]
fn nobody_from_outside_places_a_record_in_another_users_list() {
    for (caller, allowed) in [(LOCAL, true), (OTHER, true), (STRANGER, false), (OWNER, false)] {
        let result = put(Some(stored(body())), ID, patch(with("user", json!(BOB))), caller, NOW);
        match allowed {
            true => assert_eq!(result.unwrap().entry.record.user, BOB, "{caller:?}"),
            false => assert_eq!(result, Err(Refusal::ForeignOwner), "{caller:?}"),
        }
    }
}

#[test]
fn a_ping_sets_seen_and_never_back() {
    assert_eq!(ping(None, NOW), Err(Refusal::NotFound));
    assert_eq!(ping(Some(THEN), NOW), Ok(NOW));
    assert_eq!(ping(Some(THEN), UnixMillis(1)), Ok(THEN));
}

#[test]
fn only_the_owner_reads_and_deletes() {
    let entry = Some(stored(body()));
    assert!(readable(entry.clone(), OWNER).is_ok());
    for (stored, caller, refusal) in [
        (&entry, STRANGER, Refusal::Unauthenticated),
        (&entry, LOCAL, Refusal::Unauthenticated),
        (&entry, OTHER, Refusal::NotOwner),
        (&None, OWNER, Refusal::NotFound),
        (&None, STRANGER, Refusal::Unauthenticated),
    ] {
        assert_eq!(readable(stored.clone(), caller), Err(refusal), "{caller:?}");
    }
}

#[test]
fn no_secret_shows_in_debug_or_errors() {
    let put = put(None, ID, patch(body()), LOCAL, NOW).unwrap();
    assert!(!format!("{put:?} {:?}", patch(body())).contains("hush"));
    let refusal = super::put(Some(put.entry), ID, patch(with("secret", json!("loud"))), LOCAL, NOW).unwrap_err();
    assert!(!format!("{refusal} {refusal:?}").contains("loud"));
}

#[test]
fn open_registration_lets_strangers_in_and_changes_nothing_else() {
    let open = Caller { open: true, ..STRANGER };
    assert_eq!(put(None, ID, patch(body()), open, NOW).unwrap().entry.record.user, ALICE);
    assert_eq!(put(None, ID, patch(without("user")), open, NOW), Err(Invalid::Missing("user").into()));
    assert_eq!(
        put(Some(stored(body())), ID, patch(with("secret", json!("loud"))), open, NOW),
        Err(Refusal::WrongSecret)
    );
    let bare = put(Some(stored(without("secret"))), ID, patch(without("secret")), open, NOW);
    assert_eq!(bare, Err(Refusal::WrongSecret));
    let moved = put(Some(stored(body())), ID, patch(with("user", json!(BOB))), open, NOW);
    assert_eq!(moved, Err(Refusal::ForeignOwner));
    assert_eq!(readable(Some(stored(body())), open), Err(Refusal::Unauthenticated));
}

#[test]
fn a_user_has_a_limited_number_of_records_and_is_known() {
    let owner = |known, records| Owner { known, records };
    assert_eq!(may_own(owner(true, RECORDS_PER_USER - 1), STRANGER), Ok(()));
    assert_eq!(may_own(owner(true, RECORDS_PER_USER), LOCAL), Err(Refusal::TooMany));
    assert_eq!(may_own(owner(false, 0), STRANGER), Err(Refusal::UnknownOwner));
    assert_eq!(may_own(owner(false, 0), LOCAL), Ok(()));
}

#[test]
fn a_record_that_moves_says_whose_it_was() {
    let moved = put(Some(stored(body())), ID, patch(with("user", json!(BOB))), LOCAL, NOW).unwrap();
    assert_eq!(moved.from, Some(ALICE));
    assert_eq!(put_again(LOCAL).from, None);
}

fn put_again(caller: Caller) -> Put {
    put(Some(stored(body())), ID, patch(body()), caller, NOW).unwrap()
}
