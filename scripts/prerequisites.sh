# What the commands of this folder share: messages, the tools that must be there, the build. Sourced, not run.
# shellcheck shell=bash

set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repository"

swift_release=6.3.1
build_packages=(libssl-dev libnghttp2-dev libsqlite3-dev pkg-config)
# What the official toolchain asks for on Debian 12 and Ubuntu, beside a C compiler's files.
toolchain_packages=(binutils ca-certificates curl git libc6-dev libcurl4-openssl-dev libedit2 libncurses-dev
    libpython3-dev libsqlite3-0 libstdc++-12-dev libxml2-dev libz3-dev tzdata zlib1g-dev)

say() { printf '%s\n' "$*" >&2; }

phase() { printf '\n== %s\n' "$*" >&2; }

fail() {
    say "error: $*"
    exit 1
}

# Installs the Debian packages of the arguments that are missing; says which, when it may not.
need_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || fail "these packages are missing, and there is no apt-get here: ${missing[*]}"
    local elevate=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "these packages are missing; as root: apt-get install ${missing[*]}"
        elevate=(sudo)
        [ -t 0 ] || elevate=(sudo -n)
    fi
    say "installing ${missing[*]}"
    local quiet=(-qq -o Dpkg::Use-Pty=0)
    # RUNLEVEL=1 keeps a package such as nginx from starting its service.
    elevate+=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1)
    "${elevate[@]}" apt-get "${quiet[@]}" install -y --no-install-recommends \
        "${missing[@]}" >/dev/null 2>&1 && return 0
    # A fresh image has no package lists yet.
    "${elevate[@]}" apt-get "${quiet[@]}" update >/dev/null || true
    "${elevate[@]}" apt-get "${quiet[@]}" install -y --no-install-recommends \
        "${missing[@]}" >/dev/null || fail "could not install: ${missing[*]}"
}

# Arguments are COMMAND:PACKAGE; installs the packages whose command is not in PATH.
need_commands() {
    local pair missing=()
    for pair in "$@"; do
        command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    [ ${#missing[@]} -eq 0 ] || need_packages "${missing[@]}"
}

swift_is_recent() {
    local version
    version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
    [ -n "$version" ] && [ "$(printf '%s\n6.3\n' "$version" | sort -V | head -n 1)" = 6.3 ]
}

# Leaves `swift` 6.3 or later in PATH: the one that is there, or the official toolchain under .toolchain/.
need_swift() {
    if [ -x "$repository/.toolchain/usr/bin/swift" ]; then
        PATH="$repository/.toolchain/usr/bin:$PATH"
    fi
    swift_is_recent && return 0
    local platform machine
    platform=$(. /etc/os-release && printf '%s%s' "$ID" "$VERSION_ID")
    machine=$(uname -m)
    local suffix=""
    [ "$machine" != aarch64 ] || suffix=-aarch64
    case $platform in
        debian12 | ubuntu22.04 | ubuntu24.04) ;;
        *) fail "Swift 6.3 or later is missing; install it from https://www.swift.org/install/linux/" ;;
    esac
    local name="swift-$swift_release-RELEASE-$platform$suffix"
    local url="https://download.swift.org/swift-$swift_release-release/${platform//./}$suffix/swift-$swift_release-RELEASE/$name.tar.gz"
    need_packages "${toolchain_packages[@]}"
    say "Swift 6.3 is missing; fetching $url"
    mkdir -p .toolchain
    if ! curl --fail --location --progress-bar --retry 2 --connect-timeout 20 "$url" |
        tar -xz --strip-components=1 -C .toolchain; then
        rm -rf .toolchain
        fail "Swift 6.3 could not be fetched; install it from https://www.swift.org/install/linux/"
    fi
    PATH="$repository/.toolchain/usr/bin:$PATH"
    swift_is_recent || fail "the toolchain in .toolchain/ does not run here"
}

# Leaves in `venv` a Python environment with what the tests import, made anew when requirements.txt changed.
need_venv() {
    venv=.venv-tests
    local wanted=Tests/EndToEnd/requirements.txt
    if [ -x "$venv/bin/python" ] && cmp -s "$wanted" "$venv/requirements.txt"; then return 0; fi
    python3 -c 'import ensurepip' 2>/dev/null || need_packages python3-venv
    say "making $venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$venv/requirements.txt"
}

# Builds the gateway optimised, and leaves its path in `portcullis`.
build_release() {
    swift build -c release --static-swift-stdlib --product portcullis "$@" >&2
    portcullis="$(swift build -c release --static-swift-stdlib --show-bin-path)/portcullis"
    [ -x "$portcullis" ] || fail "the build left no portcullis"
}
