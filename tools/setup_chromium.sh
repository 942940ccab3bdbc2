#!/bin/sh
# Installs Chromium where the package manager is apt and this user may use it; the tests of pages drive it, headless.
# Does nothing where there is one. Elsewhere: install Chromium or Chrome yourself, or name one in $CHROMIUM.
set -eu
for name in ${CHROMIUM:-} chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
log=$(mktemp)
echo "setup: installing chromium"
if ! { apt-get update -q && apt-get install -q -y --no-install-recommends chromium; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    echo "setup: could not install chromium: see $log" >&2
    exit 1
fi
rm -f "$log"
