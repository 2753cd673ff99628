#!/usr/bin/env bash
# Checks a running `sekisho dev` with programs that were not written for it: token libraries, an authenticator, a
# browser, a mail server, a fuzzer of documents, generated clients. Uses SEKISHO_BIN when set, else builds it. Prints a line a check.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.."
work=$(mkdir -p "${CARGO_TARGET_DIR:-target}/witness" && cd "${CARGO_TARGET_DIR:-target}/witness" && pwd)

if [ -z "${SEKISHO_BIN:-}" ]; then
    cargo build --quiet --locked
    SEKISHO_BIN=$(dirname "$work")/debug/sekisho
fi
export SEKISHO_BIN

# Node looks for modules beside the file that asks for them, so the witnesses run from a copy there.
cp "$here"/* "$here/.npmrc" README.md "$work/"
(
    cd "$work"
    stamp=$(cat package-lock.json requirements.txt | sha256sum)
    if [ "$(cat stamp 2>/dev/null)" != "$stamp" ]; then
        npm ci --loglevel=error
        python3 -m venv venv
        venv/bin/pip install --quiet --requirement requirements.txt
        echo "$stamp" >stamp
    fi
)

export CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
if [ ! -x "$CHROMIUM" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null
fi
[ -x "$CHROMIUM" ] || { echo "no Chromium: install it, or set CHROMIUM to its program" >&2; exit 1; }

temporary=$(mktemp -d)
export WITNESS_SHOTS=${WITNESS_SHOTS:-$temporary/shots}
service=
finish() {
    [ -z "$service" ] || { kill "$service" 2>/dev/null && wait "$service"; } || true
    rm -rf "$temporary"
}
trap finish EXIT

# Like a developer, but without the limits: one address signs up many times here.
"$SEKISHO_BIN" dev --port 0 --data "$temporary/data" --limits off >"$temporary/log" 2>&1 &
service=$!
for _ in $(seq 600); do
    SEKISHO_URL=$(sed -n 's/^  API  *//p' "$temporary/log")
    [ -z "$SEKISHO_URL" ] || break
    kill -0 "$service" 2>/dev/null || break
    sleep 0.1
done
if [ -z "$SEKISHO_URL" ]; then
    cat "$temporary/log" >&2
    exit 1
fi
export SEKISHO_URL

passed=0 failed=0
cd "$work"
for witness in ${WITNESSES:-tokens.mjs tokens.py mail.py schema.py client.mjs docs_ui.mjs pages.mjs passkeys.mjs}; do
    echo "# $witness"
    case $witness in
        *.py) runner=venv/bin/python ;;
        *) runner=node ;;
    esac
    outcome=0
    timeout 180 "$runner" "$witness" 2>&1 | tee "$temporary/output" || outcome=$?
    passed=$((passed + $(grep -c '^ok - ' "$temporary/output" || true)))
    refused=$(grep -c '^not ok - ' "$temporary/output" || true)
    if [ "$outcome" != 0 ] && [ "$refused" = 0 ]; then
        echo "not ok - $witness ended with $outcome"
        refused=1
    fi
    failed=$((failed + refused))
done

[ "$failed" = 0 ] || tail -n 20 "$temporary/log"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
