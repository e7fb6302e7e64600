#!/usr/bin/env bash
# Installs Paretone as a user would and transcribes a recording from the root folder: with cargo, from the tarball, and, as root with
# debootstrap, from Debian's package in a new system without Rust.
#
#   scripts/eval/install.sh [cargo] [tarball] [deb] [bare]
#
#   cargo  the first-time path, of what is committed: from a clone to a word of one's own that is recognised, each command with its seconds. It
#          needs espeak-ng, to have somebody say the word. CARGO_TARGET_DIR, where it is set, spares building the dependencies again.
#   bare   the tarball's program in an empty root that holds nothing but the libraries it is linked with
#
# Packages that scripts/release.sh made of an earlier commit are made again.
set -euo pipefail
cd "$(dirname "$0")/../.."
clone=$PWD
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
said="the old man walked slowly along the river and his dog ran before him"

check() { [ "$2" = "$said" ] || { echo "$1: heard \"$2\"" >&2; exit 1; }; echo "$1: ok"; }
# The first-time path: a home without anything, and the commands that a new user types.
with_cargo() {
    local home=$scratch/home name=Zambretti commands=0 heard= begun
    mkdir "$home"
    espeak-ng -v en-us -s 150 -w "$home/call.wav" "please call $name in the morning"
    cp corpora/samples/river.wav "$home/talk.wav"
    # Rust alone is there already.
    typed() {
        begun=$(date +%s.%N)
        heard=$(cd "$1" && env HOME="$home" PARETONE_CACHE="$home/.cache/paretone" PATH="$home/.cargo/bin:$PATH" \
            CARGO_HOME="${CARGO_HOME:-$HOME/.cargo}" RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}" bash -ec "$2")
        commands=$((commands + 1))
        echo "  $commands. ${2//file:\/\/$clone/URL}: $(awk -v since="$begun" -v now="$(date +%s.%N)" 'BEGIN { printf "%.1f", now - since }') s"
    }
    typed "$home" "git clone --quiet file://$clone paretone"
    typed "$home/paretone" "cargo install --quiet --path . --locked --root ~/.cargo"
    typed / "paretone transcribe ~/talk.wav"
    check "cargo install, then from /" "$heard"
    typed / "paretone transcribe ~/call.wav"
    echo "     heard: $heard"
    typed / "echo $name >~/names.txt"
    typed / "paretone transcribe --words ~/names.txt ~/call.wav"
    echo "     heard: $heard"
    grep -q "$name" <<<"$heard" || { echo "the word on the list was not heard" >&2; exit 1; }
    echo "first-time path: $commands commands"
}

# The newest package of what is committed, if any.
latest() { find target/release-files -name "*$1" -newermt "@$(git log -1 --format=%ct)" 2>/dev/null | head -n 1; }

with_tarball() {
    [ -n "$(latest .tar.gz)" ] || scripts/release.sh tarball
    mkdir -p "$scratch/prefix"
    tar xzf "$(latest .tar.gz)" --strip-components 1 -C "$scratch/prefix"
    check "tarball" "$(cd / && env -i HOME="$scratch/tar" "$scratch/prefix/bin/paretone" transcribe "$clone/corpora/samples/river.wav")"
    [ -f "$scratch/prefix/share/man/man1/paretone-transcribe.1.gz" ]
}

in_an_empty_root() {
    with_tarball
    local root=$scratch/root program=$scratch/prefix/bin/paretone
    mkdir -p "$root"/{bin,tmp,home}
    cp "$program" "$root/bin/"
    cp corpora/samples/river.wav "$root/"
    { ldd "$program" 2>/dev/null || true; } | grep -o '/[^ ]*' | while read -r library; do
        mkdir -p "$root$(dirname "$library")"
        cp -L "$library" "$root$library"
    done
    check "empty root" "$(env -i HOME=/home "$(command -v chroot)" "$root" /bin/paretone transcribe /river.wav)"
}

with_deb() {
    command -v debootstrap >/dev/null || { echo "deb: left out, there is no debootstrap"; return; }
    [ -n "$(latest .deb)" ] || scripts/release.sh deb
    local root=$scratch/debian package
    package=$(latest .deb)
    for part in man1/paretone-transcribe.1.gz bash-completion/completions/paretone; do
        dpkg-deb --contents "$package" | grep "$part" >/dev/null
    done
    debootstrap --variant=minbase "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" >"$scratch/debootstrap.log" 2>&1 ||
        { tail -n 5 "$scratch/debootstrap.log" >&2; exit 1; }
    cp "$package" corpora/samples/river.wav "$root/tmp/"
    chroot "$root" sh -c 'dpkg -i /tmp/*.deb >/dev/null && ! command -v cargo >/dev/null'
    check "Debian's package in a new system" "$(chroot "$root" env -i HOME=/root PATH=/usr/bin:/bin sh -c 'cd / && paretone transcribe /tmp/river.wav')"
    chroot "$root" sh -c 'dpkg -r paretone >/dev/null && ! command -v paretone >/dev/null'
}

for way in "${@:-cargo}"; do
    case $way in
    cargo) with_cargo ;;
    tarball) with_tarball ;;
    deb) with_deb ;;
    bare) in_an_empty_root ;;
    *) echo "usage: scripts/eval/install.sh [cargo] [tarball] [deb] [bare]" >&2 && exit 2 ;;
    esac
done
