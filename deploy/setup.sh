# shellcheck shell=bash disable=SC2154
# What ./run and ./test share: find Python, install what is missing by apt, make .venv from the hash-pinned lock.
# Sourced with `root` set to the repository's directory and `set -euo pipefail`.

say() { printf '%s\n' "$*"; }
complain() { printf 'vermilion: %s\n' "$*" >&2; }
stop() { complain "$@"; exit 1; }
trap 'printf "\n" && complain "interrupted; start again to go on" && exit 130' INT TERM

has_softhsm() {
  local place
  for place in /usr/lib/softhsm '/usr/lib/*/softhsm' /usr/lib64/softhsm /usr/lib64/pkcs11 /usr/lib64 /usr/local/lib/softhsm; do
    if compgen -G "$place/libsofthsm2.so" >/dev/null; then return; fi
  done
  return 1
}

# Prints the name of a Python that is new enough; the machine's own first, because its packages fit it.
find_python() {
  local name
  for name in python3 python3.13 python3.12 python3.11 python3.14; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      say "$name"
      return
    fi
  done
  return 1
}

# Prints the apt package that is missing before a virtual environment can be made, if one is: Debian keeps ensurepip in
# a package of its own.
missing_venv_package() {
  local python
  if [[ -f $root/.venv/run.stamp ]]; then return; fi
  if ! python=$(find_python); then
    say python3-venv
  elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [[ $python == python3 ]]; then say python3-venv; else say "$python-venv"; fi
  fi
}

# apt_install PACKAGE...: as root, or through sudo. Says why when it cannot.
apt_install() {
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y -qq -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0) log
  if ! command -v apt-get >/dev/null; then
    complain "missing here, and there is no apt to install it: $*"
    return 1
  fi
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null || ! { sudo -n true 2>/dev/null || [[ -t 0 ]]; }; then
      complain "missing here, and this user may not install it; ask an administrator for: apt-get install $*"
      return 1
    fi
    apt=(sudo "${apt[@]}")
  fi
  say "Installing $* (apt)"
  log=$(mktemp)
  # The package lists of a fresh machine are empty or old: fetch them only when the first attempt fails.
  if "${apt[@]}" install --no-install-recommends "$@" >"$log" 2>&1 ||
    { "${apt[@]}" update && "${apt[@]}" install --no-install-recommends "$@"; } >"$log" 2>&1; then
    rm -f "$log"
    return
  fi
  tail -n 5 "$log" >&2
  rm -f "$log"
  complain "apt could not install: $*"
  return 1
}

# pip_install LOCK: exactly what LOCK pins, by hash, built by nobody here, with a line that counts where a person watches.
pip_install() {
  local total pip=("$root/.venv/bin/python" -m pip --disable-pip-version-check --no-input)
  total=$(grep -c '^[a-z].*==' "$1")
  "${pip[@]}" install --no-deps --only-binary :all: --require-hashes -r "$1" 2>&1 | show_progress "$total"
}

show_progress() {
  local line count=0 line_start=''
  if [[ -t 1 ]]; then line_start=$'\r\033[K'; fi
  while IFS= read -r line; do
    case $line in
      Collecting\ * | *already\ satisfied*)
        count=$((count + 1))
        if [[ $line_start ]]; then printf '%s  %s of %s packages' "$line_start" "$count" "$1"; fi
        ;;
      Installing\ *) if [[ $line_start ]]; then printf '%s  unpacking %s packages' "$line_start" "$1"; fi ;;
      ERROR:* | WARNING:* | error:*) printf '%s%s\n' "$line_start" "$line" >&2 ;;
    esac
  done
  printf '%s' "$line_start"
}

# A stamp names the lock that was finished and where: it lets the next start skip all of this at once, and its absence
# after an interruption makes it start over.
wanted_stamp() { say "$(cat "$@" | sha256sum) $root"; }
has_stamp() { [[ -f $1 && $(<"$1") == "$2" ]] && "$root/.venv/bin/python" -c 'import pip' 2>/dev/null; }

# One set-up at a time: a second start waits here, then finds the stamps.
take_turn() { exec 9<"$root" && flock 9; }
end_turn() { exec 9<&-; }

# .venv with exactly what requirements.txt pins.
make_venv() {
  local lock="$root/requirements.txt" stamp="$root/.venv/run.stamp" wanted python failure
  wanted=$(wanted_stamp "$lock")
  if has_stamp "$stamp" "$wanted"; then return; fi
  take_turn
  if ! has_stamp "$stamp" "$wanted"; then
    python=$(find_python) || stop "no Python 3.11 or newer was found"
    say "Making .venv with $("$python" -V) (once; about a minute)"
    rm -f "$root"/.venv/*.stamp
    if ! failure=$("$python" -m venv --clear "$root/.venv" 2>&1); then
      stop "$root/.venv cannot be made: ${failure##*$'\n'}"
    fi
    pip_install "$lock" || stop "the packages in requirements.txt could not be installed"
    say "$wanted" >"$stamp"
  fi
  end_turn
}

# On top of make_venv, what only the tests need.
add_test_packages() {
  local lock="$root/requirements-dev.txt" stamp="$root/.venv/test.stamp" wanted
  wanted=$(wanted_stamp "$root/requirements.txt" "$lock")
  if has_stamp "$stamp" "$wanted"; then return; fi
  take_turn
  say "Adding what the tests need (once)"
  pip_install "$lock" || stop "the packages in requirements-dev.txt could not be installed"
  say "$wanted" >"$stamp"
  end_turn
}
