//! The API: who sees what, and who may change what.

use serde_json::Value;

use super::bench::{BOARD, Bench, OTHER, SECRET, TOKEN, board};
use crate::pure::view::BoardState;

fn json(answer: &str) -> Value {
    let body = answer.split_once("\r\n\r\n").expect("a body").1;
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
}

#[tokio::test]
async fn over_tcp_boards_are_shown_without_secrets() {
    let bench = Bench::new().await;
    let (status, answer) = bench.http("GET /api/boards", "").await;
    assert_eq!(status, 200);
    assert!(!answer.contains(SECRET) && !answer.contains("liveUrl"), "{answer}");
    let boards = json(&answer);
    let address = bench.address;
    assert_eq!(boards[0]["url"], format!("ws://{address}/{BOARD}"));
    assert_eq!(boards[0]["rawUrl"], format!("ws://{address}/{BOARD}/raw"));
    assert_eq!(boards[0]["state"], "ready");
    assert_eq!(boards[0]["usb"], Value::Null);
    let (_, page) = bench.http("GET /", "").await;
    assert!(page.contains("<title>microflo-bridge</title>") && !page.contains(SECRET), "{page}");
}

#[tokio::test]
async fn the_control_socket_shows_the_live_url() {
    let bench = Bench::new().await;
    let (status, answer) = bench.control("GET /api/boards", "").await;
    assert_eq!(status, 200);
    let live = json(&answer)[0]["liveUrl"].as_str().unwrap().to_owned();
    assert!(live.starts_with("https://ide.example/#runtime/endpoint?protocol%3Dwebsocket"), "{live}");
    assert!(live.ends_with("secret%3Ds3cret"), "{live}");
}

#[tokio::test]
async fn the_admin_token_shows_secrets_and_a_wrong_one_is_told() {
    let bench = Bench::new().await;
    let (status, answer) = bench.http(&format!("GET /api/boards/{BOARD}\nAuthorization: Bearer {TOKEN}"), "").await;
    assert_eq!(status, 200);
    assert!(json(&answer)["liveUrl"].is_string());
    for wrong in ["Bearer nonsense", "Bearer", "Basic x", "Bearer "] {
        let (status, answer) = bench.http(&format!("GET /api/boards\nAuthorization: {wrong}"), "").await;
        assert_eq!(status, 401, "{wrong}: {answer}");
    }
}

#[tokio::test]
async fn gone_boards_are_left_out_unless_asked_for() {
    let boards = vec![board(BOARD, "Here", BoardState::Ready), board(OTHER, "Away", BoardState::Gone)];
    let bench = Bench::with(boards, None).await;
    let count = async |path: &str| json(&bench.http(path, "").await.1).as_array().unwrap().len();
    assert_eq!(count("GET /api/boards").await, 1);
    assert_eq!(count("GET /api/boards?all=true").await, 2);
    let (status, answer) = bench.http(&format!("GET /api/boards/{OTHER}"), "").await;
    assert_eq!((status, &json(&answer)["state"]), (200, &Value::from("gone")));
}

#[tokio::test]
async fn changes_over_tcp_need_the_token_and_json() {
    let bench = Bench::new().await;
    let path = format!("POST /api/boards/{BOARD}/label");
    let body = r#"{"label":"Door"}"#;
    let json_type = "Content-Type: application/json";
    let right = format!("Authorization: Bearer {TOKEN}");
    assert_eq!(bench.http(&format!("{path}\n{json_type}"), body).await.0, 401);
    assert_eq!(bench.http(&format!("{path}\n{json_type}\nAuthorization: Bearer x"), body).await.0, 401);
    assert_eq!(bench.http(&format!("{path}\nContent-Type: text/plain\n{right}"), body).await.0, 415);
    assert!(bench.asked.lock().unwrap().is_empty());
    assert_eq!(bench.http(&format!("{path}\n{json_type}\n{right}"), body).await.0, 204);
    assert_eq!(*bench.asked.lock().unwrap(), [format!("label {BOARD} Door")]);
}

#[tokio::test]
async fn the_control_socket_needs_no_token_to_label_allow_and_ignore() {
    let bench = Bench::new().await;
    for (action, body) in [("label", r#"{"label":" Door "}"#), ("allow", r#"{"chip":true}"#), ("ignore", "{}")] {
        let request = format!("POST /api/boards/{BOARD}/{action}\nContent-Type: application/json");
        let (status, answer) = bench.control(&request, body).await;
        assert_eq!(status, 204, "{answer}");
    }
    let asked = bench.asked.lock().unwrap().clone();
    assert_eq!(
        asked,
        [format!("label {BOARD} Door"), format!("admit {BOARD} true true"), format!("admit {BOARD} false false")]
    );
}

#[tokio::test]
async fn wrong_bodies_are_explained() {
    let bench = Bench::new().await;
    let long = format!(r#"{{"label":"{}"}}"#, "x".repeat(65));
    for (action, body, status, words) in [
        ("label", r#"{"label":"a\u0007b"}"#, 400, "control characters"),
        ("label", r#"{"label":"  "}"#, 400, "1 to 64"),
        ("label", long.as_str(), 400, "1 to 64"),
        ("label", "{", 400, "JSON"),
        ("label", r#"{"name":"x"}"#, 422, "unknown field `name`"),
        ("allow", r#"{"chips":true}"#, 422, "unknown field `chips`"),
    ] {
        let request = format!("POST /api/boards/{BOARD}/{action}\nContent-Type: application/json");
        let (got, answer) = bench.control(&request, body).await;
        assert_eq!(got, status, "{answer}");
        assert!(json(&answer)["message"].as_str().unwrap().contains(words), "{answer}");
    }
    assert!(bench.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn unknown_boards_are_404_everywhere() {
    let bench = Bench::new().await;
    for request in [
        format!("GET /api/boards/{OTHER}"),
        "GET /api/boards/nonsense".into(),
        format!("POST /api/boards/{OTHER}/ignore\nContent-Type: application/json"),
        format!("GET /{OTHER}"),
        format!("GET /{OTHER}/raw"),
        "GET /favicon.ico".into(),
    ] {
        let (status, answer) = bench.control(&request, if request.starts_with("POST") { "{}" } else { "" }).await;
        assert_eq!(status, 404, "{request}: {answer}");
        assert!(json(&answer)["message"].is_string());
    }
}

#[tokio::test]
async fn the_local_users_token_is_told_over_the_control_socket_only() {
    let bench = Bench::new().await;
    let (status, answer) = bench.control("GET /api/registry/user", "").await;
    assert_eq!(status, 200);
    assert_eq!(json(&answer)["token"], "usertoken");
    assert_eq!(json(&answer)["url"], format!("http://{}/", bench.address));
    let with_token = format!("GET /api/registry/user\nAuthorization: Bearer {TOKEN}");
    for request in ["GET /api/registry/user", &with_token] {
        let (status, answer) = bench.http(request, "").await;
        assert_eq!(status, 403);
        assert!(!answer.contains("usertoken"));
    }
}

#[tokio::test]
async fn graphs_and_firmware_over_tcp_need_the_token() {
    let bench = Bench::new().await;
    let json_type = "Content-Type: application/json";
    let graph = r#"{"graph":{"processes":{}}}"#;
    for (request, body) in [
        (format!("GET /api/boards/{BOARD}/graph"), ""),
        (format!("POST /api/boards/{BOARD}/graph\n{json_type}"), graph),
        (format!("POST /api/firmware\n{json_type}"), r#"{"name":"x","components":"{}"}"#),
        ("DELETE /api/firmware/x".into(), ""),
    ] {
        assert_eq!(bench.http(&request, body).await.0, 401, "{request}");
    }
    let (status, answer) =
        bench.http(&format!("GET /api/boards/{BOARD}/graph\nAuthorization: Bearer {TOKEN}"), "").await;
    assert_eq!((status, json(&answer)), (200, serde_json::json!({ "processes": {} })));
    assert_eq!(bench.control(&format!("GET /api/boards/{OTHER}/graph"), "").await.0, 404);
}

#[tokio::test]
async fn an_upload_is_answered_line_by_line() {
    let bench = Bench::new().await;
    let request = format!("POST /api/boards/{BOARD}/graph\nContent-Type: application/json");
    let (status, answer) = bench.control(&request, r#"{"graph":{"processes":{}}}"#).await;
    assert_eq!(status, 200, "{answer}");
    for line in [r#"{"progress":{"done":1,"total":2}}"#, r#""done""#] {
        assert!(answer.lines().any(|it| it == line), "{line}: {answer}");
    }
    let (_, answer) = bench.control(&request, r#"{"graph":{}}"#).await;
    assert!(answer.lines().any(|it| it == r#"{"failed":"no processes"}"#), "{answer}");
    let (status, answer) = bench.control(&request, r#"{"start":true}"#).await;
    assert_eq!(status, 422);
    assert!(answer.contains("missing field `graph`"), "{answer}");
    // As long as any graph that a board can hold, and its metadata.
    let long = format!(r#"{{"graph":{{"processes":{{}},"x":"{}"}}}}"#, "x".repeat(4 * 1024 * 1024));
    assert_eq!(bench.control(&request, &long).await.0, 200);
}

#[tokio::test]
async fn a_firmware_for_no_boards_is_explained() {
    let bench = Bench::new().await;
    let request = "POST /api/firmware\nContent-Type: application/json";
    let body = r#"{"name":"x","components":"{}","boards":["chip:2341"]}"#;
    let (status, answer) = bench.control(request, body).await;
    assert_eq!(status, 400);
    assert!(json(&answer)["message"].as_str().unwrap().contains("`chip:2341` names no boards"), "{answer}");
    assert_eq!(bench.control("GET /api/firmware", "").await.0, 200);
}
