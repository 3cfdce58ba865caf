# SPDX-License-Identifier: BSD-3-Clause
# All tests, cheap ones first. Sourced by run.sh. Each check is one line in build/results.txt: ok, FAILED or skipped.
# shellcheck shell=bash
python=/usr/bin/python3 # Debian's own, where python3-ipfix is found, whatever stands before it in PATH
results=build/results.txt
export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1

# check NAME COMMAND...: a command that is one check; its output is shown if it fails.
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then echo "ok $name"; else echo "FAILED $name"$'\n'"$output"; fi | tee -a "$results"
}

# checks FILE...: a script whose output has a line for each of its checks.
checks() {
  local status=0
  "$python" "$@" | tee build/script.txt || status=$?
  [[ $status == 0 ]] || grep -q '^FAILED ' build/script.txt ||
    echo "FAILED $1: status $status" | tee -a build/script.txt
  cat build/script.txt >>"$results"
}

# gtests FOLDER LABEL: every test executable of a build, each of its cases a check.
gtests() {
  local name command status
  while read -r name command; do
    name="$2$name" status=0
    timeout 600 bash -c "$command --gtest_color=no" >build/gtest.txt 2>&1 || status=$?
    sed -n -e "s/^\[       OK \] \(.*\) (.*/ok $name \1/p" -e "s/^\[  FAILED  \] \(.*\) (.* ms)$/FAILED $name \1/p" \
      -e "s/^\[  SKIPPED \] \(.*\) (.* ms)$/skipped $name \1/p" build/gtest.txt >build/cases.txt
    [[ $status == 0 ]] || grep -q '^FAILED ' build/cases.txt || echo "FAILED $name: status $status" >>build/cases.txt
    grep -q '^FAILED ' build/cases.txt && cat build/gtest.txt
    grep -c '^ok ' build/cases.txt | sed "s/^/$name: cases passed: /"
    cat build/cases.txt >>"$results"
  done < <(meson introspect "$1" --tests | "$python" -c '
import json, shlex, sys
for test in json.load(sys.stdin):
    print(test["name"], "env", shlex.join([f"{name}={value}" for name, value in test["env"].items()] + test["cmd"]))')
}

no_warnings() { ! grep -n 'warning:' "$1.log"; }

# Debian's oneTBB is built without the sanitizer, to which each task that it hands over looks like a race.
no_races() { ! cat build/races.* 2>/dev/null | grep '^SUMMARY' | grep -v 'oneapi/tbb/task_group.h'; }

# The inputs that each fuzzer gets, so that it takes its ten or twenty seconds; a new one gets the usual number.
declare -A fuzz_runs=([capture]=8000 [decode]=150000 [fragments]=8000 [settings]=30000 [template_text]=2000)
fuzz_runs_usual=50000

# fuzz NAME OPTION...: one fuzzer, beginning with its seeds.
fuzz() {
  local name=$1 corpus=build/corpus/$1
  shift
  rm -rf "$corpus" && mkdir -p "$corpus"
  check "fuzz $name $*" timeout 3600 "build-sanitized/tests/fuzz/${name}_fuzz" "$@" -max_len=4096 -timeout=20 \
    -rss_limit_mb=4096 -artifact_prefix="build/$name-" "$corpus" "tests/fuzz/seeds/$name"
}

fuzzers() {
  local fuzzer
  for fuzzer in tests/fuzz/*_fuzz.cpp; do basename "$fuzzer" _fuzz.cpp; done
}

build_all() {
  log 'building a release into build/, and with clang and its sanitizers into build-sanitized/'
  mkdir -p build && : >"$results"
  build build all -- || return
  check 'the release builds without warnings' no_warnings build
  CXX=clang++ build build-sanitized all -- -Dfuzz=true --buildtype=debugoptimized \
    -Dcpp_args=-D_GLIBCXX_ASSERTIONS || return
  check 'clang builds with sanitizers without warnings' no_warnings build-sanitized
  build build-threads src/app/weir bench/make_capture -- -Db_sanitize=thread --buildtype=debugoptimized
}

# The last line counts; status 1 if anything failed.
verdict() {
  local passed failed skipped
  passed=$(grep -c '^ok ' "$results") || true
  failed=$(grep -c '^FAILED ' "$results") || true
  skipped=$(grep -c '^skipped ' "$results") || true
  log "${SECONDS} s"
  grep -E '^(FAILED|skipped) ' "$results" || true
  echo "$passed passed, $failed failed$( ((skipped)) && echo ", $skipped skipped")"
  [[ $failed == 0 && $passed != 0 ]]
}

run_test() {
  local name script
  build_all || {
    echo 'FAILED to build' | tee -a "$results"
    verdict
    return
  }
  log 'style'
  check 'shell scripts' shellcheck run.sh tests/suite.sh .ci/run
  checks tests/style/style.py
  check 'captures are what their texts make' "$python" pcaps/make.py --check
  log 'cost in instructions'
  checks tests/cost/cost.py
  log 'unit tests'
  gtests build ''
  log 'unit tests, sanitized'
  gtests build-sanitized 'sanitized '
  log 'fuzzers'
  for name in $(fuzzers); do fuzz "$name" -runs="${fuzz_runs[$name]:-$fuzz_runs_usual}" -seed=1; done
  log 'every capture, sanitized'
  WEIR=build-sanitized/src/app/weir checks tests/end_to_end/every_capture.py
  log 'a live probe, with address and thread sanitizers'
  WEIR_SANITIZED=1 WEIR_SOAK=5 WEIR=build-sanitized/src/app/weir checks tests/end_to_end/live_soak.py
  WEIR_SANITIZED=1 WEIR_SOAK=5 WEIR=build-threads/src/app/weir checks tests/end_to_end/live_soak.py
  log 'replay by several workers, with the thread sanitizer'
  rm -f build/races.*
  WEIR_SANITIZED=1 WEIR=build-threads/src/app/weir TSAN_OPTIONS='exitcode=0 log_path=build/races' \
    checks tests/end_to_end/workers.py
  check 'several workers race for nothing' no_races
  for script in tests/end_to_end/*.py; do
    log "$script"
    checks "$script"
  done
  verdict
}

# Three quarters of an hour: the fuzzers from new seeds, every capture once more, sanitized, and a live probe.
run_soak() {
  local name
  build_all
  for name in $(fuzzers); do fuzz "$name" -max_total_time=300; done
  WEIR=build-sanitized/src/app/weir checks tests/end_to_end/every_capture.py
  checks tests/end_to_end/bounded_memory.py
  WEIR_SOAK=600 checks tests/end_to_end/live_soak.py
  [[ ! -f tests/end_to_end/live_faults.py ]] || WEIR_SOAK=60 checks tests/end_to_end/live_faults.py
  verdict
}
