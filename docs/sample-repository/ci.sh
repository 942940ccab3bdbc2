#!/usr/bin/env bash
# What a pull request has to get past. The first argument is the folder of the framework; BASE is the branch that the
# pull request goes to.
set -euo pipefail
cd "$(dirname "$0")"
shop=${1:-flask-shop}
base=${BASE:-origin/main}
mkdir -p build
git show "$base:./policy.toml" > build/base.toml

doorward policy check policy.toml
doorward policy diff build/base.toml policy.toml || test $? -eq 1   # 1 says that they differ, which is no failure
(cd "$shop" && doorward check shop:app && python -m pytest -q)

# The last recorded day through both policies: no more than one request in a thousand may be refused that was not before.
doorward replay recordings/*.log.gz --rules policy.toml --against build/base.toml --max-newly-denied 0.1% \
    --must-allow cases/customers.jsonl --must-deny cases/attacks.jsonl \
    -o build/report.html -o build/report.md -o build/report.xml -o build/report.sarif
