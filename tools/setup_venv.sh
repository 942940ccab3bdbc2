#!/bin/sh
# Usage: setup_venv.sh VENV REQUIREMENTS [--editable]
# Makes VENV hold exactly what REQUIREMENTS asks for, with doorward itself in editable mode if wanted, which compiles its
# data. Does nothing if that was done before for the same content of the files. Needs Python >= 3.11 and a package
# registry.
set -eu
venv=$1 requirements=$2 editable=${3:-}
stamp=$venv/.requirements
data=src/doorward/intelligence/data

fail() {
    echo "setup: $*" >&2
    exit 1
}

find_python() {
    for python in ${PYTHON:-} python3 python3.11 python3.12 python3.13 python3.14; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$python" && return
    done
    return 1
}

[ -f "$requirements" ] || fail "$requirements is missing from this copy of the project"
included=$(sed -n "s|^-r |$(dirname "$requirements")/|p" "$requirements")
compiler=
if [ -n "$editable" ]; then
    # What the compiled data depends on, beside the packages: our registry, what compiles it, the layout of the files.
    compiler=$(find data_build src/doorward/intelligence -name '*.toml' -o -name '*.py' | LC_ALL=C sort)
    [ -f "$data/bots.dwd" ] || rm -f "$stamp"
fi
# shellcheck disable=SC2086  # none, or several names
wanted=$(cat "$requirements" $included pyproject.toml $compiler | cksum)
[ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && [ -x "$venv/bin/python" ] && exit 0

if [ ! -x "$venv/bin/python" ] || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python) || fail "Python 3.11 or newer is missing (looked for python3, python3.11 to python3.14 and \$PYTHON)"
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python lacks the modules venv and ensurepip (on Debian and Ubuntu: the package python3-venv)"
    echo "setup: making $venv with $("$python" --version)"
    "$python" -m venv --clear "$venv" || fail "could not make $venv"
fi

install() {
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@" >"$venv/.setup.log" 2>&1 && return
    tail -n 5 "$venv/.setup.log" >&2
    fail "could not install $*: is the package registry reachable? All of pip's words: $venv/.setup.log"
}

echo "setup: installing $requirements into $venv"
install --requirement "$requirements"
if [ -n "$editable" ]; then
    [ -f README.md ] || fail "README.md is missing from this copy of the project"
    install --no-deps --no-build-isolation --editable .
fi
echo '*' >"$venv/.gitignore"
echo "$wanted" >"$stamp"
