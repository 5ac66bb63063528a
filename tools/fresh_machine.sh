#!/usr/bin/env bash
# Does the README hold on a machine that has nothing? For each suite: a new minimal Debian (debootstrap)
# in a temporary directory, /proc, /sys and /dev of this machine bound into it, a clean copy of this
# checkout, and then the README's commands. Run on demand, as root:
#
#     sudo tools/fresh_machine.sh [--skip-browser | --skip-tests | --offline] [--mirror URL] [bookworm] [trixie] [forky]
#
# Without suites: bookworm and trixie, the two releases; forky, the next one, changes by the day.
# --offline: the checkout comes out of a file made by ./lab bundle, and the machine has no network at all.
set -euo pipefail

usage() { sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

here=$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")
suites=() mirror='' tests=all

while [[ $# -gt 0 ]]; do
  case $1 in
    --skip-browser) tests=no-browser ;;
    --skip-tests) tests=none ;;
    --offline) tests=offline ;;
    --mirror) mirror=${2:?--mirror needs an address} && shift ;;
    -h | --help) usage && exit ;;
    -*) usage >&2 && exit 2 ;;
    *) suites+=("$1") ;;
  esac
  shift
done
[[ ${#suites[@]} -gt 0 ]] || suites=(bookworm trixie)

[[ $EUID -eq 0 ]] || { echo "needs root: sudo tools/fresh_machine.sh" >&2 && exit 3; }
command -v debootstrap >/dev/null || { echo "needs debootstrap: apt-get install debootstrap" >&2 && exit 3; }

# In a mount namespace of its own: whatever ends this script, its mounts end with it.
if [[ -z ${FRESH_MACHINE_INSIDE:-} ]]; then
  options=()
  [[ $tests != no-browser ]] || options+=(--skip-browser)
  [[ $tests != none ]] || options+=(--skip-tests)
  [[ $tests != offline ]] || options+=(--offline)
  [[ -z $mirror ]] || options+=(--mirror "$mirror")
  FRESH_MACHINE_INSIDE=1 exec unshare --mount --propagation private "${BASH_SOURCE[0]}" "${options[@]}" "${suites[@]}"
fi

work=$(mktemp -d -t fresh-machine.XXXXXX)
room=
results=()
exec 4>&1 # an interrupted step has its output elsewhere

# shellcheck source=tools/room.sh
source "$here/tools/room.sh"

finish() {
  local status=$?
  trap '' INT TERM
  leave_network_too
  leave_room
  rm -rf --one-file-system "$work"
  show_results >&4
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

show_results() {
  printf '\n%-10s  %-52s  %9s  %s\n' suite step seconds result
  local row
  for row in "${results[@]}"; do
    IFS='|' read -r suite step seconds result <<<"$row"
    printf '%-10s  %-52s  %9s  %s\n' "$suite" "$step" "$seconds" "$result"
  done
}

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }

# step NAME COMMAND...: run it, keep the time and the verdict; a failure shows the end of its output.
failures=0
step() {
  local name=$1 started status=0
  shift
  started=$(now)
  echo "== $suite: $name" >&2
  "$@" >"$work/output" 2>&1 || status=$?
  if [[ $status -eq 0 ]]; then
    results+=("$suite|$name|$(since "$started")|ok $(cat "$work/remark" 2>/dev/null)")
  else
    results+=("$suite|$name|$(since "$started")|FAILED ($status)")
    failures=$((failures + 1))
    cp "$work/output" "${TMPDIR:-/tmp}/fresh-machine-$suite.log"
    tail -n 40 "$work/output" >&2
    echo "   all of it: ${TMPDIR:-/tmp}/fresh-machine-$suite.log" >&2
  fi
  rm -f "$work/remark"
  return "$status"
}
remark() { echo "$*" >"$work/remark"; }

# --- the room --------------------------------------------------------------------------------------

make_room() {
  new_room "$suite" "$work/$suite" "$mirror" && enter_room "$work/$suite" || return 1
  if [[ $tests == offline ]]; then
    bring_bundle && leave_network
  else
    bring_network_settings
    bring_checkout
  fi
}

bring_bundle() {
  local options=()
  [[ -z $mirror ]] || options+=(--mirror "$mirror")
  "$here/lab" bundle --release "$suite" "${options[@]}" "$work/bundle.tar" || return 1
  remark "(bundle of $(($(stat -c %s "$work/bundle.tar") / 1000000)) MB)"
  tar -xf "$work/bundle.tar" -C "$room/root" && mv "$room/root/ebpf-lab" "$room/root/lab"
}

leave_network_too() {
  [[ ${#outside[@]} -eq 0 ]] || kill "$no_network"
  outside=()
}

# A process keeps the network without any device but its own loopback, for all that runs in the room.
leave_network() {
  unshare --net bash -c 'ip link set lo up && exec sleep infinity' 4>&- &
  no_network=$!
  outside=(nsenter --net="/proc/$no_network/ns/net")
  until "${outside[@]}" grep -q '^ *lo:.*' /proc/self/net/dev && [[ $(readlink /proc/$no_network/ns/net) != "$(readlink /proc/self/ns/net)" ]]; do sleep 0.1; done
}

# What is committed if all is committed, else the files as they lie here (without what is ignored).
bring_checkout() {
  if git_here rev-parse -q --verify HEAD >/dev/null && [[ -z $(git_here status --porcelain) ]]; then
    git_here clone -q "$here" "$room/root/lab"
    remark "(clone of $(git_here rev-parse --short HEAD))"
  else
    bring_checkout_files
    remark "(copy of the files, not all committed)"
  fi
}

# --- what is tried ---------------------------------------------------------------------------------

no_kernel_headers() {
  local found
  found=$(find "$room/usr/src" "$room/lib/modules" "$room/usr/lib/modules" -maxdepth 2 \
    \( -name 'linux-headers*' -o -name build \) 2>/dev/null || true)
  [[ -z $found ]] || { echo "kernel headers: $found" && return 1; }
}

# Status of GET /api/status with this token, asked from inside the room.
ask_server() { # ask_server ADDRESS TOKEN
  (in_room /usr/bin/python3 -c '
import sys, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1], headers={"Authorization": "token " + sys.argv[2]})
try:
    print(urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).status)
except urllib.error.HTTPError as error:
    print(error.code)
' "$1" "$2")
}

printed_address() { grep -oE 'http://127\.0\.0\.1:[0-9]+/lab[^ ]*token=[0-9a-f]+' "$work/jupyter" | head -n 1; }

# Start ./lab, wait for the address, see that it answers to the token and to no other, and stop it.
start_and_stop_jupyter() {
  local started address server i
  started=$(now)
  (in_room ./lab --no-browser) >"$work/jupyter" 2>&1 &
  server=$!
  for ((i = 0; i < 6000; i++)); do
    [[ -z $(printed_address) ]] || break
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  cat "$work/jupyter"
  address=$(printed_address)
  [[ -n $address ]] || return 1
  remark "(address after $(since "$started") s)"
  [[ $(ask_server "${address%%/lab*}/api/status" "${address##*token=}") == 200 ]] || return 1
  [[ $(ask_server "${address%%/lab*}/api/status" wrong) == 403 ]] || return 1
  kill -TERM "$server"
  wait "$server" || [[ $? -eq 143 ]] || return 1
  ! "${outside[@]}" bash -c "exec 3<>/dev/tcp/127.0.0.1/$(sed -E 's|.*:([0-9]+)/.*|\1|' <<<"$address")" 2>/dev/null
}

start_again_installs_nothing() {
  start_and_stop_jupyter || return 1
  ! grep -q '^\[[0-9]' "$work/jupyter" # no step of a set-up
}

run_percpu() {
  (in_room bash -c 'while sleep 0.2; do :; done') &
  local something_to_see=$! output status=0
  output=$( (in_room ./lab run percpu --seconds 3)) || status=$?
  kill "$something_to_see"
  wait "$something_to_see" || true
  echo "$output"
  [[ $status -eq 0 ]] || return "$status"
  grep -qw 544 <<<"$output" || return 1
  remark "($(grep -cE '^\[[0-9. ]+\] PID:' <<<"$output") events)"
  grep -qE '^\[[0-9. ]+\] PID: .*/sleep' <<<"$output"
}

run_stack() {
  local output status=0
  output=$( (in_room ./lab run stack) 2>&1) || status=$?
  echo "$output"
  [[ $status -eq 1 ]] && grep -q 'BPF stack limit' <<<"$output"
}

run_tests() {
  local options=()
  [[ $tests == all ]] || options=(-m "not browser")
  (in_room ./lab test "${options[@]}") || return 1
  remark "($(grep -E '^=+ .*(passed|failed).*=+$' "$work/output" | tr -d = | paste -sd ';'))"
}

there_is_no_network() {
  local devices
  devices=$( (in_room sed -n 's/^ *\([^ :]*\):.*/\1/p' /proc/self/net/dev))
  echo "devices: $devices"
  [[ $devices == lo ]]
}

# A bundle with one byte changed, and one for another release: each says so, and nothing is installed.
refuses() { # refuses WORDS
  local output status=0
  output=$( (in_room ./lab build percpu) 2>&1) || status=$?
  echo "$output"
  [[ $status -eq 3 && $output == *"$1"* && ! -e $room/usr/bin/python3 && ! -e $room/root/lab/.venv ]]
}

refuses_what_is_damaged() {
  local deb
  deb=$(find "$room/root/lab/bundle/debs" -name 'python3-bpfcc_*')
  cp "$deb" "$work/whole.deb"
  printf X | dd of="$deb" bs=1 seek=5000 conv=notrunc status=none
  refuses "is damaged" || return 1
  cp "$work/whole.deb" "$deb"
}

refuses_another_release() {
  local os=$room/usr/lib/os-release
  cp "$os" "$work/os-release"
  sed -i 's/^VERSION_CODENAME=.*/VERSION_CODENAME=noble/' "$os"
  refuses "is for release $suite, this machine has noble" || return 1
  cp "$work/os-release" "$os"
}

build() { # build STATUS VARIANT
  local status=0
  (in_room ./lab build "$2") || status=$?
  [[ $status -eq $1 ]]
}

# From the file alone; its name has a space.
build_from_file() {
  mv "$room/root/lab/bundle" "$work/bundle"
  mkdir "$room/media" 2>/dev/null || true
  mv "$work/bundle.tar" "$room/media/the bundle.tar"
  local output status=0
  output=$( (in_room ./lab --bundle "/media/the bundle.tar" build stack) 2>&1) || status=$?
  echo "$output"
  mv "$work/bundle" "$room/root/lab/bundle"
  [[ $status -eq 1 && $output == *"BPF stack limit"* && -z $(find "$room/root/lab" -maxdepth 1 -name '.bundle*') ]]
}

try_suite_offline() {
  step "debootstrap minbase, make and bring the bundle" make_room || return 0
  step "there is no network" there_is_no_network || return 0
  step "a damaged bundle: refused, nothing installed" refuses_what_is_damaged || true
  step "a bundle for another release: the same" refuses_another_release || true
  step "./lab --bundle FILE build stack: set up, status 1" build_from_file || return 0
  rm -rf "$room/root/lab/.venv"
  step "./lab build percpu, from bundle/: set up, status 0" build 0 percpu || true
  step "./lab --no-browser: answers, stops" start_and_stop_jupyter || true
  step "./lab run percpu --seconds 3: status 0, events" run_percpu || true
}

try_suite() {
  step "debootstrap minbase, bring the checkout" make_room || return 0
  step "no kernel headers, before" no_kernel_headers || true
  step "./lab --no-browser: answers, stops" start_and_stop_jupyter || return 0
  step "./lab --no-browser again: installs nothing" start_again_installs_nothing || true
  step "./lab run percpu --seconds 3: status 0, events" run_percpu || true
  step "./lab run stack: status 1" run_stack || true
  [[ $tests == none ]] || step "./lab test ($tests)" run_tests || true
  step "no kernel headers, after" no_kernel_headers || true
}

for suite in "${suites[@]}"; do
  if [[ $tests == offline ]]; then try_suite_offline; else try_suite; fi
  leave_network_too
  leave_room
  rm -rf --one-file-system "${work:?}/$suite"
  room=
done
[[ $failures -eq 0 ]]
