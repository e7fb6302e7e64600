#!/usr/bin/env bash
# Installs Paretone as a user would and transcribes a recording from the root folder: with cargo, from the tarball, and, as root with
# debootstrap, from Debian's package in a new system without Rust. Counts commands and seconds of the first-time path.
#
#   scripts/eval/install.sh [cargo] [tarball] [deb] [bare]
#
#   bare   the tarball's program in an empty root that holds nothing but the libraries it is linked with
set -euo pipefail
cd "$(dirname "$0")/../.."
clone=$PWD
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
said="the old man walked slowly along the river and his dog ran before him"

check() { [ "$2" = "$said" ] || { echo "$1: heard \"$2\"" >&2; exit 1; }; echo "$1: ok"; }
seconds() { local begun=$SECONDS; "$@" >&2; echo $((SECONDS - begun)); }

with_cargo() {
    local built
    built=$(seconds cargo install --quiet --path . --locked --root "$scratch/cargo" --target-dir "${CARGO_TARGET_DIR:-target}")
    local begun=$SECONDS heard
    heard=$(cd / && env -i HOME="$scratch" "$scratch/cargo/bin/paretone" transcribe "$clone/corpora/samples/river.wav")
    check "cargo install, then from / (2 commands, $built s to build, $((SECONDS - begun)) s for the first answer)" "$heard"
}

latest() { ls -t target/release-files/*"$1" 2>/dev/null | head -n 1; }

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
    check "empty root" "$(env -i HOME=/home chroot "$root" /bin/paretone transcribe /river.wav)"
}

with_deb() {
    command -v debootstrap >/dev/null || { echo "deb: left out, there is no debootstrap"; return; }
    [ -n "$(latest .deb)" ] || scripts/release.sh deb
    local root=$scratch/debian
    debootstrap --variant=minbase "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$root" >"$scratch/debootstrap.log" 2>&1 ||
        { tail -n 5 "$scratch/debootstrap.log" >&2; exit 1; }
    cp "$(latest .deb)" corpora/samples/river.wav "$root/tmp/"
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
