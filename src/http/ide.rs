//! `/ide/`: the built Flowhub or NoFlo UI of `--ide DIR`.
//!
//! It has the server's own origin, so its pages reach the registry, and a bridge's boards, without mixed content and without
//! any prompt.

use std::io;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use futures_util::stream;
use tokio::io::AsyncReadExt;

use super::refusal::Refusal;
use crate::io::static_dir::{StaticDir, StaticFile};

/// What such a UI does: it compiles components in the page, styles its graph inline, and opens runtimes anywhere. It loads
/// scripts from here only, and reaches no other web service: what it takes for GitHub's token is the registry's.
const POLICY: &str = "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; worker-src 'self' blob:; \
                      style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: https:; font-src 'self' data:; \
                      connect-src 'self' ws: wss:; frame-src 'self' blob:; frame-ancestors 'none'; \
                      base-uri 'self'; form-action 'none'; object-src 'none'";

/// What is read from a file at once, in bytes.
const CHUNK_BYTES: usize = 64 * 1024;

/// The routes of the UI in that directory, or the word that there is none.
pub(super) fn router(dir: Option<StaticDir>) -> Router {
    Router::new()
        .route("/ide", get(without_slash))
        .route("/ide/", get(index))
        .route("/ide/{*path}", get(file))
        .with_state(dir)
}

/// `GET /ide`: relative addresses in the page need the slash.
async fn without_slash() -> Redirect {
    Redirect::permanent("ide/")
}

/// `GET /ide/`.
async fn index(dir: State<Option<StaticDir>>, headers: HeaderMap) -> Result<Response, Refusal> {
    file(dir, Path(String::new()), headers).await
}

/// `GET /ide/{path}`.
async fn file(
    State(dir): State<Option<StaticDir>>,
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let dir = dir.ok_or_else(|| {
        Refusal::not_found("no UI is served here; --ide DIR, the directory of a built one, makes the program serve it")
    })?;
    let content_type = content_type(if path.is_empty() || path.ends_with('/') { "html" } else { &path });
    let found = open(dir, path).await?;
    let tag = format!("\"{}\"", found.version);
    let about = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_TYPE, content_type),
        (ETAG, tag.as_str()),
    ];
    if headers.get(IF_NONE_MATCH).is_some_and(|known| known == tag.as_str()) {
        return Ok((StatusCode::NOT_MODIFIED, about).into_response());
    }
    let length = [(CONTENT_LENGTH, found.bytes.to_string())];
    Ok((about, length, body(found)).into_response())
}

async fn open(dir: StaticDir, path: String) -> Result<StaticFile, Refusal> {
    let opened = tokio::task::spawn_blocking(move || dir.open(&path)).await;
    // Whatever the reason, the file is not for those who ask.
    opened.map_err(io::Error::other).flatten().map_err(|_| Refusal::not_found("the UI has no such file"))
}

/// The file, read as it is sent; never more than was promised.
fn body(found: StaticFile) -> Body {
    let file = tokio::fs::File::from_std(found.file).take(found.bytes);
    Body::from_stream(stream::try_unfold(file, async |mut file| {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        let count = (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut chunk).await?;
        Ok::<_, io::Error>((count > 0).then(|| (Bytes::from(chunk), file)))
    }))
}

/// By the file's extension, since nothing is guessed from content.
fn content_type(path: &str) -> &'static str {
    let extension = path.rsplit_once('.').map_or(path, |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "js" | "mjs" | "cjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "eot" => "application/vnd.ms-fontobject",
        "wasm" => "application/wasm",
        "txt" | "md" | "fbp" => "text/plain; charset=utf-8",
        "xml" => "application/xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_known_by_extension() {
        assert_eq!(content_type("html"), "text/html; charset=utf-8");
        assert_eq!(content_type("build/app.min.JS"), "text/javascript; charset=utf-8");
        assert_eq!(content_type("fonts/a.woff2"), "font/woff2");
        assert_eq!(content_type("LICENSE"), "application/octet-stream");
    }
}
