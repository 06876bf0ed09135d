#!/usr/bin/env bash
# Installs what the browser tests need: Node.js and Chromium from apt, npm packages into the cache directory.
# Exit 77 with "skipped: why" where that is impossible.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
modules=${BROWSER_MODULES:-$here/../../target/browser}
say() { printf '%s\n' "$*"; }
skip() { printf 'skipped: %s\n' "$*"; exit 77; }
mkdir -p "$modules"
exec 9>"$modules/.lock" && flock 9

missing=()
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)
command -v "${CHROMIUM:-chromium}" >/dev/null || missing+=(chromium)
if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || skip "not root, and these packages are missing: ${missing[*]}"
  command -v apt-get >/dev/null || skip "no apt-get, and these packages are missing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  say "installing ${missing[*]}"
  log=$modules/apt.log
  install() { apt-get install -y -qq --no-remove --no-install-recommends "${missing[@]}" >"$log" 2>&1; }
  # A fresh image has no package lists; a running one needs no new ones.
  install || { apt-get update -qq >"$log" 2>&1 || true; install; } ||
    { tail -n 5 "$log" >&2; skip "apt-get cannot install ${missing[*]} (log: $log)"; }
fi

wanted=$(cat "$here/package.json" "$here/package-lock.json" | sha256sum | cut -d' ' -f1)
if [ ! -f "$modules/.installed" ] || [ "$(cat "$modules/.installed")" != "$wanted" ]; then
  say "installing npm packages"
  cp "$here/package.json" "$here/package-lock.json" "$modules"
  # No install scripts; the browser is the system's.
  (cd "$modules" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$modules/npm.log" 2>&1 ||
    { tail -n 5 "$modules/npm.log" >&2; skip "npm ci failed (log: $modules/npm.log)"; }
  printf '%s\n' "$wanted" >"$modules/.installed"
fi
