//! Host and Origin, on every route.

use super::bench::{BOARD, Bench, IDE};

/// One of each kind: page, sockets, API, registry, liveness, what does not exist, and what takes another method.
const ROUTES: [&str; 10] = [
    "GET /",
    "GET /11111111-1111-4111-8111-111111111111",
    "GET /11111111-1111-4111-8111-111111111111/raw",
    "GET /healthz",
    "GET /api/boards",
    "POST /api/boards/11111111-1111-4111-8111-111111111111/label",
    "GET /runtimes",
    "OPTIONS /runtimes",
    "GET /no/such/page",
    "DELETE /healthz",
];

const UPGRADE: &str = "Connection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\n";

#[tokio::test]
async fn a_rebinding_host_is_refused_on_every_route() {
    let bench = Bench::new().await;
    let port = bench.address.port();
    for route in ROUTES {
        for upgrade in ["", UPGRADE] {
            for host in
                ["evil.example", "127.0.0.1.evil.example", "localhost.", "localhost@evil.example", "127.1", "[::2]"]
            {
                let (status, answer) = bench.http(&format!("{route}\n{upgrade}Host: {host}:{port}"), "").await;
                assert_eq!(status, 403, "{route} {host}: {answer}");
            }
        }
    }
    let (_, answer) = bench.http(&format!("GET /healthz\nHost: evil.example:{port}"), "").await;
    assert!(answer.contains(&format!("Host `evil.example:{port}` is not this bridge")), "{answer}");
}

#[tokio::test]
async fn a_cross_site_origin_is_refused_on_every_route() {
    let bench = Bench::new().await;
    let port = bench.address.port();
    let foreign = [
        "https://evil.example".to_owned(),
        "null".into(),
        "".into(),
        // Right name, wrong port, scheme or form.
        "http://127.0.0.1".into(),
        format!("http://localhost:{}", port ^ 1),
        format!("https://localhost:{port}"),
        format!("http://LOCALHOST:{port}"),
        format!("http://localhost:{port}/"),
        "http://ide.example".into(),
        "https://ide.example:8443".into(),
        "https://ide.example.evil.example".into(),
    ];
    for route in ROUTES {
        for origin in &foreign {
            for upgrade in ["", UPGRADE] {
                let (status, answer) = bench.http(&format!("{route}\n{upgrade}Origin: {origin}"), "").await;
                assert_eq!(status, 403, "{route} {origin}: {answer}");
                assert!(!answer.to_ascii_lowercase().contains("access-control"), "{answer}");
            }
        }
    }
}

#[tokio::test]
async fn own_names_and_own_origins_are_served() {
    let bench = Bench::new().await;
    let port = bench.address.port();
    for host in ["localhost", "LocalHost", "127.0.0.1", "[::1]"] {
        let (status, answer) = bench.http(&format!("GET /api/boards\nHost: {host}:{port}"), "").await;
        assert_eq!(status, 200, "{host}: {answer}");
        let origin = host.to_ascii_lowercase();
        let (status, answer) = bench.http(&format!("GET /api/boards\nOrigin: http://{origin}:{port}"), "").await;
        assert_eq!(status, 200, "{origin}: {answer}");
    }
    // Another port is another server.
    let (status, _) = bench.http(&format!("GET /healthz\nHost: localhost:{}", port ^ 1), "").await;
    assert_eq!(status, 403);
    let (status, _) = bench.http("GET /healthz\nHost: localhost", "").await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn missing_doubled_and_contradicting_hosts_are_refused() {
    let bench = Bench::new().await;
    let address = bench.address;
    let doubled = format!("GET /healthz\nHost: {address}\nHost: {address}");
    let absolute = format!("GET http://evil.example/healthz\nHost: {address}");
    let forwarded = format!("GET /healthz\nHost: evil.example\nX-Forwarded-Host: {address}");
    for request in [doubled.as_str(), &absolute, &forwarded, "GET /healthz\nHost:"] {
        assert_eq!(bench.http(request, "").await.0, 403, "{request}");
    }
    assert_eq!(bench.http("GET /healthz\nOrigin: https://ide.example\nOrigin: https://ide.example", "").await.0, 403);
}

#[tokio::test]
async fn the_public_url_names_one_more_host_and_origin() {
    let bench = Bench::with(vec![], Some("https://lab.example/boards/")).await;
    for (request, status) in [
        ("GET /healthz\nHost: lab.example:443", 200),
        ("GET /healthz\nHost: lab.example:443\nOrigin: https://lab.example", 200),
        ("GET /healthz\nHost: lab.example:8443", 403),
        ("GET /healthz\nOrigin: http://lab.example", 403),
    ] {
        assert_eq!(bench.http(request, "").await.0, status, "{request}");
    }
}

#[tokio::test]
async fn the_public_url_without_a_port_has_the_schemes_port() {
    let bench = Bench::with(vec![], Some("https://lab.example")).await;
    assert_eq!(bench.http("GET /healthz\nHost: lab.example", "").await.0, 200);
}

#[tokio::test]
async fn an_ide_may_use_boards_and_registry_and_not_the_api() {
    let bench = Bench::new().await;
    for (route, status) in [
        ("GET /healthz".to_owned(), 200),
        ("GET /runtimes".into(), 200),
        ("PUT /runtimes/x".into(), 200),
        (format!("GET /{BOARD}\n{UPGRADE}"), 101),
        ("GET /api/boards".into(), 403),
    ] {
        let separator = if route.contains('\n') { "" } else { "\n" };
        let (got, answer) = bench.http(&format!("{route}{separator}Origin: {IDE}"), "").await;
        assert_eq!(got, status, "{route}: {answer}");
        let cors = answer.to_ascii_lowercase().contains(&format!("access-control-allow-origin: {IDE}"));
        assert_eq!(cors, status == 200, "{route}: {answer}");
    }
}

#[tokio::test]
async fn preflights_of_an_ide_are_answered_where_it_may_go() {
    let bench = Bench::new().await;
    let preflight = |path: &str| {
        format!(
            "OPTIONS {path}\nOrigin: {IDE}\nAccess-Control-Request-Method: DELETE\n\
             Access-Control-Request-Headers: authorization,content-type"
        )
    };
    for path in ["/runtimes", "/runtimes/", "/runtimes/x", "/user", "/healthz"] {
        let (status, answer) = bench.http(&preflight(path), "").await;
        assert_eq!(status, 204, "{path}: {answer}");
        for word in ["DELETE", "authorization, content-type", "vary: origin", IDE] {
            assert!(answer.contains(word), "{path} {word}: {answer}");
        }
    }
    assert_eq!(bench.http(&preflight("/api/boards"), "").await.0, 403);
}

#[tokio::test]
async fn what_another_site_embeds_is_refused_and_a_followed_link_is_not() {
    let bench = Bench::new().await;
    let fetch = |site: &str, mode: &str, dest: &str| {
        format!("GET /\nSec-Fetch-Site: {site}\nSec-Fetch-Mode: {mode}\nSec-Fetch-Dest: {dest}")
    };
    for (request, status) in [
        (fetch("cross-site", "no-cors", "script"), 403),
        (fetch("same-site", "no-cors", "image"), 403),
        (fetch("cross-site", "navigate", "iframe"), 403),
        (fetch("cross-site", "navigate", "document"), 200),
        (fetch("none", "navigate", "document"), 200),
        (fetch("same-origin", "cors", "empty"), 200),
    ] {
        assert_eq!(bench.http(&request, "").await.0, status, "{request}");
    }
}

#[tokio::test]
async fn every_answer_has_security_headers() {
    let bench = Bench::new().await;
    for route in ROUTES {
        let (_, answer) = bench.http(route, "").await;
        for header in [
            "content-security-policy: default-src 'self'; frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
        ] {
            assert!(answer.contains(header), "{route} lacks {header}: {answer}");
        }
    }
}
