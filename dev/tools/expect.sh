# shellcheck shell=bash
# Expectations of test scripts: what they count, how they wait. A script sources
# this, calls `expect` for each thing it proves, and ends with `report`.

scratch=$(mktemp -d)
passed=0
failed=0

# expect TITLE COMMAND...: shows the output of COMMAND only when it fails. As it
# is called in a condition, COMMAND must chain its steps by && itself.
expect() {
  local title=$1 begun=$EPOCHREALTIME
  shift
  if "$@" >"$scratch/output" 2>&1; then
    passed=$((passed + 1))
    printf 'ok    %5.1f s  %s\n' "$(since "$begun")" "$title"
  else
    failed=$((failed + 1))
    printf 'FAIL  %5.1f s  %s\n' "$(since "$begun")" "$title"
    tail -n 40 "$scratch/output" | sed 's/^/      /'
  fi
}

since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f", to - from }'; }

# within SECONDS COMMAND...: repeats COMMAND until it succeeds; on giving up, its
# last output is what is shown.
within() {
  local deadline=$((SECONDS + $1)) answer
  shift
  until answer=$("$@" 2>&1); do
    if [ "$SECONDS" -ge "$deadline" ]; then
      printf 'never succeeded: %s\n%s\n' "$*" "$answer"
      return 1
    fi
    sleep 0.1
  done
  printf '%s\n' "$answer"
}

# refuses TEXT COMMAND...: COMMAND fails, and says TEXT.
refuses() {
  local wanted=$1 answer
  shift
  if answer=$("$@" 2>&1); then
    printf 'succeeded: %s\n%s\n' "$*" "$answer"
    return 1
  fi
  printf '%s\n' "$answer"
  [[ $answer == *"$wanted"* ]]
}

not() { if "$@"; then return 1; fi; }

report() {
  printf '%d passed, %d failed\n' "$passed" "$failed"
  [ "$failed" -eq 0 ]
}
