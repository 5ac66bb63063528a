# shellcheck shell=bash disable=SC1091,SC2034,SC2154  # the names that it shares with ./lab
# How ./lab sets up from a bundle: it reads this file when it is given one, or has one beside it. All of a
# bundle is looked at before any of it is installed. tools/bundle.py makes them.

bundle_gives_up() { # bundle_gives_up WHY
  give_up "$1" "on a machine with a network: ./lab bundle --release ${release:-bookworm or trixie}, and bring that file"
}

# Set from_bundle, a folder: the one that a bundle unpacks to, or a copy of it out of the file.
open_bundle() { # open_bundle FILE|FOLDER
  from_bundle=$(readlink -f -- "$1")
  [[ -f $from_bundle ]] || return 0
  quietly tar -xf "$from_bundle" -C "$scratch" --no-same-owner ebpf-lab/bundle || bundle_gives_up "$1 is no bundle, or not whole"
  from_bundle=$scratch/ebpf-lab/bundle
}

bundle_is_for() { sed -n "s/^$1=//p" "$from_bundle/made-for"; } # bundle_is_for FACT

# What this machine is, in the bundle's words; empty where it does not know yet.
machine_is() { # machine_is FACT
  case $1 in
    release) (. /etc/os-release && echo "${VERSION_CODENAME:-$ID}") 2>/dev/null || true ;;
    architecture) dpkg --print-architecture 2>/dev/null || uname -m ;;
    python) "$base_python" --version 2>/dev/null | sed 's/^Python //' || true ;;
    locks) cat "$here/requirements/setup.lock" "$here/requirements/run.lock" | sha256sum | cut -d ' ' -f 1 ;;
  esac
}

check_bundle() { # check_bundle NAME
  local release fact is
  release=$(machine_is release)
  [[ $release =~ ^(bookworm|trixie)$ ]] || release=''
  quietly check_sums || bundle_gives_up "$1 is damaged: what it holds is not what its checksums say"
  for fact in release architecture python; do
    is=$(machine_is "$fact")
    [[ -z $is || $is == "$(bundle_is_for "$fact")" ]] ||
      bundle_gives_up "$1 is for $fact $(bundle_is_for "$fact"), this machine has $is; there are bundles for Debian bookworm and trixie, amd64 and arm64"
  done
  [[ $(machine_is locks) == "$(bundle_is_for locks)" ]] ||
    bundle_gives_up "$1 was made from another version of the lab: its requirements/*.lock are not those of $here"
}

# Every file is in the list, and is what the list says.
check_sums() ( # in a process of its own, which changes its folder
  cd "$from_bundle" && [[ -s SHA256SUMS ]] || exit 1
  sha256sum --check --strict --quiet SHA256SUMS || exit 1
  [[ $(find . -type f | wc -l) -eq $(($(wc -l <SHA256SUMS) + 1)) ]] || { echo "files that are not in SHA256SUMS" && exit 1; }
)

# apt and pip look here and nowhere else. The bundle's checksums stand for an archive's signature.
use_bundle() { # use_bundle FILE|FOLDER; in a process of the set-up's own, which deletes its files at its end
  say "setting up from $1, without the network"
  [[ -w $here ]] || give_up "cannot write into $here" "sudo ./lab --bundle $1"
  scratch=$(mktemp -d "$here/.bundle.XXXXXX")
  trap 'rm -rf -- "$scratch"' EXIT
  open_bundle "$1"
  check_bundle "$1"
  mkdir -p "$scratch/lists/partial"
  printf 'deb [trusted=yes] file:%s ./\n' "${from_bundle// /%20}/debs" >"$scratch/sources.list"
  apt_options=(-o "Dir::Etc::sourcelist=$scratch/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::State::lists=$scratch/lists" -o APT::Sandbox::User=root)
  index_options=(--no-index --find-links "$from_bundle/wheels")
  mend_packages="see the lines above; if packages here are newer than the bundle's: ./lab bundle, where there is a network, makes a new one"
  mend_index=$mend_packages
}
