#!/usr/bin/env bash
# Installs what the registry's tests need: PostgreSQL and node from apt, npm's flowhub-registry into the cache directory,
# whose place is printed last. Exit 77 with "skipped: why" where that is impossible.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../firmware/lib.sh"
here=$repo/tests/registry
lock registry-setup

# What is missing, as Debian package names. Clusters are made by the tests themselves, in directories of their own.
missing=()
servers() { compgen -G "/usr/lib/postgresql/*/bin/postgres"; }
servers >/dev/null || command -v postgres >/dev/null || missing+=(postgresql)
command -v node >/dev/null || missing+=(nodejs)
command -v npm >/dev/null || missing+=(npm)

if [ ${#missing[@]} -gt 0 ]; then
  [ "$(id -u)" = 0 ] || skip "not root, and these packages are missing: ${missing[*]}"
  command -v apt-get >/dev/null || skip "no apt-get, and these packages are missing: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  say "installing ${missing[*]}" >&2
  # The package would make a cluster and start it.
  conf=/etc/postgresql-common/createcluster.conf
  [ -e "$conf" ] || install -D -m 644 /dev/stdin "$conf" <<<"create_main_cluster = false"
  get() { apt-get install -y -qq --no-remove --no-install-recommends "${missing[@]}" >"$rig/apt.log" 2>&1; }
  get || { apt-get update -qq >"$rig/apt.log" 2>&1 || true; get; } ||
    { tail -n 5 "$rig/apt.log" >&2; skip "apt-get cannot install ${missing[*]} (log: $rig/apt.log)"; }
fi

npm_dir=$rig/registry-npm
stamp=$npm_dir/.installed
wanted=$(digest "$here/package.json" "$here/package-lock.json")
if ! fresh "$stamp" "$wanted"; then
  say "installing npm packages" >&2
  mkdir -p "$npm_dir"
  cp "$here/package.json" "$here/package-lock.json" "$npm_dir"
  (cd "$npm_dir" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) >"$rig/npm.log" 2>&1 ||
    { tail -n 5 "$rig/npm.log" >&2; skip "npm ci failed (log: $rig/npm.log)"; }
  printf '%s\n' "$wanted" >"$stamp"
fi
say "$npm_dir/node_modules"
