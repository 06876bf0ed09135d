#!/usr/bin/env bash
# Builds the Debian package from the release profile: target/debian/microflo-bridge_*.deb, whose path is the last line printed.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v cargo-deb >/dev/null || cargo install cargo-deb --locked >&2
cargo build --release --locked --bin microflo-bridge >&2

made=target/package
rm -rf "$made"
mkdir -p "$made"
target/release/microflo-bridge man --dir "$made/man"
target/release/microflo-bridge completions bash >"$made/microflo-bridge.bash"
target/release/microflo-bridge completions zsh >"$made/_microflo-bridge"
target/release/microflo-bridge completions fish >"$made/microflo-bridge.fish"

rm -f target/debian/microflo-bridge_*.deb
cargo deb --quiet --no-build --locked >&2
echo "$PWD"/target/debian/microflo-bridge_*.deb
