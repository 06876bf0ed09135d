//! WebSockets: what is checked before the upgrade, and how they end.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::bench::{BOARD, Bench, OTHER, SECRET, board, closed};
use crate::actors::directory::{CLOSE_BOARD_GONE, CLOSE_TOO_SLOW, FromClient, ToClient};
use crate::pure::view::BoardState;

#[tokio::test]
async fn messages_pass_both_ways() {
    let mut bench = Bench::new().await;
    let (mut client, mut end) = bench.fbp().await;
    client.send(Message::text("{\"hello\":1}")).await.unwrap();
    assert!(matches!(end.from_client.recv().await, Some(FromClient::Text(text)) if text == "{\"hello\":1}"));
    end.to_client.send(ToClient::Text("{}".into())).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Message::text("{}"));

    let (mut client, mut end) = bench.raw().await;
    client.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert!(matches!(end.from_client.recv().await, Some(FromClient::Binary(bytes)) if bytes == [1, 2, 3]));
    end.to_client.send(ToClient::Binary(vec![4; 10])).await.unwrap();
    assert_eq!(client.next().await.unwrap().unwrap(), Message::binary(vec![4; 10]));
}

#[tokio::test]
async fn noflo_is_selected_when_offered_and_not_required() {
    let bench = Bench::new().await;
    let path = format!("/{BOARD}");
    for (offered, selected) in [("noflo", Some("noflo")), ("other, noflo", Some("noflo"))] {
        let (_, got) = bench.ws(&path, &[("sec-websocket-protocol", offered)]).await.unwrap();
        assert_eq!(got.as_deref(), selected, "{offered}");
    }
    assert_eq!(bench.ws(&path, &[]).await.unwrap().1, None);
}

#[tokio::test]
async fn the_raw_socket_wants_the_secret_before_the_upgrade() {
    let mut bench = Bench::new().await;
    let path = format!("/{BOARD}/raw");
    let wrong: [&[(&str, &str)]; 6] = [
        &[],
        &[("authorization", "Bearer wrong")],
        &[("authorization", "Bearer")],
        &[("sec-websocket-protocol", "secret.wrong")],
        &[("sec-websocket-protocol", "secret.")],
        &[("sec-websocket-protocol", "s3cret")],
    ];
    for headers in wrong {
        let (status, words) = bench.ws(&path, headers).await.unwrap_err();
        assert_eq!(status, 401, "{headers:?}");
        assert!(words.contains("secret") && !words.contains(SECRET), "{words}");
    }
    let (status, _) = bench.ws(&format!("{path}?secret={SECRET}"), &[]).await.unwrap_err();
    assert_eq!(status, 401, "never in the query");
    assert!(bench.links.try_recv().is_err(), "nobody got to the board");
}

#[tokio::test]
async fn the_secret_may_come_as_a_subprotocol_which_is_selected_back() {
    let bench = Bench::new().await;
    let offers = [("sec-websocket-protocol", "microflo, secret.s3cret")];
    let (_, selected) = bench.ws(&format!("/{BOARD}/raw"), &offers).await.unwrap();
    assert_eq!(selected.as_deref(), Some("secret.s3cret"));
}

#[tokio::test]
async fn unknown_boards_are_404_and_closed_ones_503_with_the_reason() {
    let mut busy = board(BOARD, "Blink", BoardState::Busy);
    busy.reason = "avrdude has the port".into();
    let bench = Bench::with(vec![busy], None).await;
    let authorization = [("authorization", "Bearer s3cret")];
    for (path, status, words) in [
        (format!("/{OTHER}"), 404, "no board has the id"),
        (format!("/{OTHER}/raw"), 404, "no board has the id"),
        ("/nonsense".into(), 404, "nothing here"),
        (format!("/{BOARD}"), 503, "avrdude has the port"),
        (format!("/{BOARD}/raw"), 503, "avrdude has the port"),
    ] {
        let (got, answer) = bench.ws(&path, &authorization).await.unwrap_err();
        assert_eq!(got, status, "{path}: {answer}");
        assert!(answer.contains(words), "{path}: {answer}");
    }
}

#[tokio::test]
async fn the_root_is_the_only_boards_socket() {
    let bench = Bench::new().await;
    let (_, selected) = bench.ws("/", &[("sec-websocket-protocol", "noflo")]).await.unwrap();
    assert_eq!(selected.as_deref(), Some("noflo"));

    // A device that is not served does not count.
    let waiting = board(OTHER, "CH340", BoardState::NotAllowed);
    bench.views.send_modify(|views| std::sync::Arc::make_mut(views).push(waiting));
    assert!(bench.ws("/", &[]).await.is_ok());

    bench.views.send_replace(std::sync::Arc::new(vec![
        board(BOARD, "Blink", BoardState::Ready),
        board(OTHER, "Door", BoardState::Busy),
    ]));
    let (status, words) = bench.ws("/", &[]).await.unwrap_err();
    assert_eq!(status, 409);
    assert!(words.contains(&format!("/{BOARD} (Blink), /{OTHER} (Door)")), "{words}");

    bench.views.send_replace(std::sync::Arc::new(vec![]));
    let (status, words) = bench.ws("/", &[]).await.unwrap_err();
    assert_eq!(status, 503);
    assert!(words.contains("no board"), "{words}");
}

#[tokio::test]
async fn a_plain_get_on_a_socket_is_told_to_upgrade() {
    let bench = Bench::new().await;
    let (status, answer) = bench.http(&format!("GET /{BOARD}"), "").await;
    assert_eq!(status, 426, "{answer}");
}

#[tokio::test]
async fn the_wrong_kind_of_message_closes_with_1003() {
    let mut bench = Bench::new().await;
    let (mut client, _end) = bench.raw().await;
    client.send(Message::text("hello")).await.unwrap();
    assert_eq!(closed(&mut client).await, (1003, "the raw socket takes binary messages".into()));
    let (mut client, _end) = bench.fbp().await;
    client.send(Message::binary(vec![1])).await.unwrap();
    assert_eq!(closed(&mut client).await.0, 1003);
}

#[tokio::test]
async fn messages_that_are_too_long_close_with_1009() {
    let mut bench = Bench::new().await;
    let (mut client, mut end) = bench.raw().await;
    client.send(Message::binary(vec![0; 4096])).await.unwrap();
    assert!(matches!(end.from_client.recv().await, Some(FromClient::Binary(bytes)) if bytes.len() == 4096));
    client.send(Message::binary(vec![0; 4097])).await.unwrap();
    assert_eq!(closed(&mut client).await.0, 1009);
    assert!(end.from_client.recv().await.is_none(), "the board is told");

    let (client, mut end) = bench.fbp().await;
    let (mut write, mut read) = client.split();
    write.send(Message::text("x".repeat(1024 * 1024))).await.unwrap();
    assert!(matches!(end.from_client.recv().await, Some(FromClient::Text(text)) if text.len() == 1024 * 1024));
    // The client writes more than the connection holds and reads meanwhile, as browsers do.
    let writing = tokio::spawn(async move { write.send(Message::text("x".repeat(8 * 1024 * 1024))).await });
    let end = loop {
        match read.next().await {
            Some(Ok(Message::Close(Some(frame)))) => break u16::from(frame.code),
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(end, 1009);
    let _ = writing.await;
}

#[tokio::test]
async fn the_boards_reason_reaches_the_client_after_its_last_messages() {
    let mut bench = Bench::new().await;
    let (mut client, end) = bench.fbp().await;
    end.to_client.send(ToClient::Text("last".into())).await.unwrap();
    end.close(CLOSE_BOARD_GONE, "the board was unplugged");
    assert_eq!(client.next().await.unwrap().unwrap(), Message::text("last"));
    assert_eq!(closed(&mut client).await, (4001, "the board was unplugged".into()));
}

#[tokio::test]
async fn a_long_reason_is_cut_to_what_a_close_frame_holds() {
    let mut bench = Bench::new().await;
    let (mut client, end) = bench.fbp().await;
    end.close(CLOSE_BOARD_GONE, &"é".repeat(100));
    assert_eq!(closed(&mut client).await.1, "é".repeat(61));
}

#[tokio::test]
async fn a_client_whom_the_board_found_too_slow_is_told_4002() {
    let mut bench = Bench::new().await;
    let (mut client, end) = bench.fbp().await;
    end.to_client.send(ToClient::Text("one".into())).await.unwrap();
    end.close(CLOSE_TOO_SLOW, "too slow");
    assert_eq!(closed(&mut client).await, (4002, "too slow".into()));
}

#[tokio::test]
async fn a_client_that_does_not_read_is_dropped_and_another_is_served_meanwhile() {
    let mut bench = Bench::new().await;
    let (_stuck, stuck) = bench.raw().await;
    let (mut other, other_end) = bench.fbp().await;
    let flood = async { while stuck.to_client.send(ToClient::Binary(vec![0; 64 * 1024])).await.is_ok() {} };
    let serve = async {
        for _ in 0..10 {
            other_end.to_client.send(ToClient::Text("tick".into())).await.unwrap();
            assert_eq!(other.next().await.unwrap().unwrap(), Message::text("tick"));
        }
    };
    let both = async { tokio::join!(flood, serve) };
    timeout(Duration::from_secs(5), both).await.expect("the stuck client's link ends by itself");
}

#[tokio::test]
async fn a_client_that_leaves_ends_its_link() {
    let mut bench = Bench::new().await;
    let (mut client, mut end) = bench.fbp().await;
    client.close(None).await.unwrap();
    assert!(end.from_client.recv().await.is_none());
    let (client, mut end) = bench.raw().await;
    drop(client);
    assert!(end.from_client.recv().await.is_none());
}

#[tokio::test]
async fn a_full_queue_to_the_board_slows_the_client_and_loses_nothing() {
    let mut bench = Bench::new().await;
    let (mut client, mut end) = bench.raw().await;
    for n in 0..50 {
        client.send(Message::binary(vec![n])).await.unwrap();
    }
    for n in 0..50 {
        assert!(matches!(end.from_client.recv().await, Some(FromClient::Binary(bytes)) if bytes == [n]));
    }
}
