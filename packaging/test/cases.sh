# Read by the scripts beside it: counts what held.
passed=0 failed=0

# check WHAT COMMAND...: it holds if the command succeeds.
check() {
  local what=$1 log; shift
  if log=$("$@" 2>&1); then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAILED: %s\n%s\n' "$what" "$log"; fi
}

# check_not WHAT COMMAND...: it holds if the command fails.
check_not() { local what=$1; shift; check "$what" fails "$@"; }
fails() { ! "$@"; }

# The sum, as the last line; the script ends with it.
told() { echo "$1: $passed passed, $failed failed"; [ "$failed" = 0 ]; }
