#!/bin/bash
# Runs the named targets, or all of them, for $SECS seconds each. Without a sanitizer (the code has no `unsafe`), so that
# the stable toolchain is enough. What was learnt is kept in target/fuzz, and a text that broke a property as well.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
fuzz() {
    "$FUZZ" "$1" --fuzz-dir tests/fuzz --target-dir target/fuzz --sanitizer none "${@:2}"
}

# The versions of the service, and libFuzzer besides.
cp Cargo.lock tests/fuzz/Cargo.lock
fuzz build
targets=${*:-$("$FUZZ" list --fuzz-dir tests/fuzz)}
for target in $targets; do
    mkdir -p "target/fuzz/corpus/$target" "target/fuzz/found/$target"
    fuzz run "$target" "target/fuzz/corpus/$target" -- -max_total_time="$SECS" -timeout=5 -max_len=2048 \
        -artifact_prefix="target/fuzz/found/$target/" -verbosity=0 -print_final_stats=1 2>&1 |
        grep -E '^(stat::number_of_executed_units|==|.*panicked|  (left|right):|.*SUMMARY)' | sed "s/^/$target: /"
done
