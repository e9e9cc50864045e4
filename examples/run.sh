#!/usr/bin/env bash
# Runs the examples of each language that this machine has. npm ci comes before it.
set -euo pipefail
cd "$(dirname "$0")"

echo "Node.js: the package, with Jest and Vitest …"
npm run --silent --prefix .. kit
(cd node && npm install --no-audit --no-fund --no-save --silent && npx jest && npx vitest run --globals)

if command -v python3 >/dev/null 2>&1; then
  echo "Python: pytest and boto3 …"
  python="$(mktemp -d)"
  trap 'rm -rf "$python"' EXIT
  if ! python3 -m venv "$python"; then
    echo "python3 has no venv. Debian: apt-get install python3-venv" >&2
    exit 1
  fi
  "$python/bin/pip" install -q -r python/requirements.txt
  "$python/bin/python" -m pytest -q python
else
  echo "NOT RUN: python3 is not installed."
fi

if command -v go >/dev/null 2>&1; then
  echo "Go: its own test command, and the AWS SDK for Go …"
  (cd go && go vet ./... && go test -count=1 ./...)
else
  echo "NOT RUN: go is not installed."
fi
