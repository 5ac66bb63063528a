#!/usr/bin/env bash
# A room: the root file system of a new minimal Debian (debootstrap) with a clean copy of this checkout
# in /root/lab, entered with this machine's /proc, /sys and /dev bound into it. fresh_machine.sh tries
# the README in rooms; ./lab kernels boots one, and asks others for Debian's own bcc and LLVM:
#
#     sudo tools/room.sh make SUITE FOLDER       a new room, with the lab set up in it
#     sudo tools/room.sh run FOLDER COMMAND...   bring the checkout as it is now; run a command in it
#     tools/room.sh pack                         that checkout as a tar, to standard output
set -euo pipefail

outside=() # words before each command of the room: into a network of its own, where that is asked for

mirror_of_this_machine() {
  # shellcheck disable=SC2016  # apt expands these
  apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
    awk '$1 == "Debian" && $2 == "Debian" { print $3; exit }'
}

# A debootstrap does not know the suites that came after it; sid's script makes them all.
script_of() {
  local scripts=/usr/share/debootstrap/scripts
  [[ -e $scripts/$1 ]] && echo "$scripts/$1" || echo "$scripts/sid"
}

new_room() { # new_room SUITE FOLDER [MIRROR]
  debootstrap --variant=minbase "$1" "$2" "${3:-$(mirror_of_this_machine)}" "$(script_of "$1")"
}

enter_room() { # enter_room FOLDER; in a mount namespace of its own
  local place
  room=$1
  for place in proc sys dev; do
    mount --rbind "/$place" "$room/$place" || return 1
    mount --make-rslave "$room/$place"
  done
}

# What this machine needs in order to reach the network, the room needs too.
bring_network_settings() {
  cp -L /etc/resolv.conf /etc/hosts "$room/etc/"
  apt-config dump Acquire >"$room/etc/apt/apt.conf.d/90this-machine"
  # Under a name of its own: the room will install ca-certificates and make the usual file anew.
  if [[ -f /etc/ssl/certs/ca-certificates.crt ]]; then
    mkdir -p "$room/etc/ssl"
    cp -L /etc/ssl/certs/ca-certificates.crt "$room/etc/ssl/this-machine.crt"
  fi
}

room_environment() {
  printf '%s\n' HOME=/root LANG=C.UTF-8 TERM=dumb PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  env | grep -iE '^(PIP_|UV_|https?_proxy=|no_proxy=|all_proxy=)' | grep -vE '^PIP_(CERT|FIND_LINKS)=' || true
  [[ ! -f $room/etc/ssl/this-machine.crt ]] ||
    printf '%s=/etc/ssl/this-machine.crt\n' SSL_CERT_FILE PIP_CERT REQUESTS_CA_BUNDLE
}

git_here() { git -c safe.directory='*' -C "$here" "$@"; }

# The files as they lie here, without what is ignored, as a tar.
pack_checkout() {
  if git_here rev-parse -q --verify HEAD >/dev/null 2>&1; then
    git_here ls-files -z --cached --others --exclude-standard |
      tar -C "$here" --exclude=.venv --ignore-failed-read -c --null -T -
  else # it came as an archive, or there is no git
    tar -C "$here" -c --exclude-vcs --exclude=./.venv --exclude=./results --exclude=./.jupyter/state \
      --exclude=__pycache__ --exclude='.*_cache' .
  fi
}

bring_checkout_files() {
  mkdir -p "$room/root/lab"
  pack_checkout | tar -C "$room/root/lab" -x
}

in_room() { # in_room COMMAND...
  local environment
  mapfile -t environment < <(room_environment)
  exec "${outside[@]}" chroot "$room" /usr/bin/env -i "${environment[@]}" bash -c 'cd /root/lab && exec "$@"' in_room "$@"
}

# Processes whose root is the room; nobody but us can have started one there.
kill_those_in_room() {
  local process
  for process in /proc/[0-9]*; do
    [[ $(readlink "$process/root" 2>/dev/null) != "$room" ]] || kill -KILL "${process#/proc/}" 2>/dev/null || true
  done
}

leave_room() {
  [[ -n $room ]] || return 0
  kill_those_in_room
  local place
  for place in dev sys proc; do
    ! mountpoint -q "$room/$place" || umount --recursive --lazy "$room/$place"
  done
}

# --- as a command ----------------------------------------------------------------------------------

make_room() { # make_room SUITE FOLDER
  rm -rf --one-file-system "$2"
  new_room "$1" "$2"
  enter_room "$2"
  bring_network_settings
  bring_checkout_files
  (in_room ./lab build percpu) # sets up what is missing, and shows that it works here
  rm -rf "$room"/var/cache/apt/archives/*.deb "$room"/var/lib/apt/lists/*
}

run_in_room() { # run_in_room FOLDER COMMAND...
  enter_room "$1"
  bring_checkout_files
  (in_room "${@:2}")
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then
  here=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
  if [[ $* == pack ]]; then
    pack_checkout
    exit
  fi
  [[ $# -ge 3 && $1 =~ ^(make|run)$ ]] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2 && exit 2; }
  [[ -n ${ROOM_INSIDE:-} ]] || ROOM_INSIDE=1 exec unshare --mount --propagation private "$0" "$@"
  room=
  trap leave_room EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  case $1 in
    make) make_room "${@:2}" ;;
    run) run_in_room "${@:2}" ;;
  esac
fi
