#!/usr/bin/env bash
# What a release offers, into target/release-files: a tarball of the program with the model within, its completions and its
# manual, and a package for Debian with the model beside the program. The tarball's program is static where Rust's musl target and musl-gcc can be had;
# else it is linked with glibc, which the file's name then says.
#
#   scripts/release.sh            both
#   scripts/release.sh tarball    one of them
#   scripts/release.sh deb
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-all}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
machine=$(uname -m)
out=target/release-files
help=$out/help
mkdir -p "$out"

# Completions and manual pages, from the program itself.
help_files() {
    rm -rf "$help"
    mkdir -p "$help/man"
    "$1" completions bash >"$help/paretone.bash"
    "$1" completions zsh >"$help/_paretone"
    "$1" completions fish >"$help/paretone.fish"
    "$1" man --dir "$help/man"
    gzip -9nf "$help"/man/*.1
}

# The target of static programs, where both Rust and C can be compiled for it: SQLite is in C.
static_target() {
    local target=$machine-unknown-linux-musl
    local have
    command -v "$machine-linux-musl-gcc" >/dev/null || command -v musl-gcc >/dev/null || return 1
    have=$(rustc --print sysroot)/lib/rustlib/$target
    [ -d "$have" ] || { command -v rustup >/dev/null && timeout 120 rustup target add "$target" >&2; } || return 1
    echo "$target"
}

tarball() {
    local program libc target
    if target=$(static_target); then
        libc=musl
        cargo build --release --locked --target "$target"
        program=target/$target/release/paretone
    else
        libc=gnu
        echo "no static program: Rust's musl target or a C compiler for it (Debian's musl-tools) is not to be had; linked with glibc" \
            "$(ldd --version | sed -n '1s/.* //p')" >&2
        cargo build --release --locked
        program=target/release/paretone
    fi
    help_files "$program"
    local name=paretone-$version-$machine-linux-$libc
    local folder=$out/$name
    rm -rf "$folder"
    mkdir -p "$folder/bin" "$folder/share/bash-completion/completions" "$folder/share/zsh/site-functions" \
        "$folder/share/fish/vendor_completions.d" "$folder/share/man/man1" "$folder/share/doc/paretone"
    install -s "$program" "$folder/bin/paretone"
    cp "$help/paretone.bash" "$folder/share/bash-completion/completions/paretone"
    cp "$help/_paretone" "$folder/share/zsh/site-functions/"
    cp "$help/paretone.fish" "$folder/share/fish/vendor_completions.d/"
    cp "$help"/man/*.gz "$folder/share/man/man1/"
    cp LICENSE LICENSE-APACHE LICENSE-MIT README.md CHANGELOG.md models/en/LICENSE-CMUDICT "$folder/share/doc/paretone/"
    cp models/en/README.md "$folder/share/doc/paretone/MODEL.md"
    tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" -C "$out" -czf "$out/$name.tar.gz" "$name"
    rm -rf "$folder"
    (cd "$out" && sha256sum "$name.tar.gz" | tee "$name.tar.gz.sha256")
}

deb() {
    command -v cargo-deb >/dev/null || cargo install --locked cargo-deb
    # The package has the model beside the program, not within, in a folder of its own builds.
    cargo build --release --locked --no-default-features --features cli,service --target-dir target/deb
    help_files target/deb/release/paretone
    mkdir -p target/deb/assets
    cp target/deb/release/paretone target/deb/assets/
    cargo deb --no-build --no-strip --output "$out/"
}

case $what in
all) tarball && deb ;;
tarball | deb) "$what" ;;
*) echo "usage: scripts/release.sh [tarball|deb]" >&2 && exit 2 ;;
esac
ls -l "$out"/*.tar.gz "$out"/*.deb 2>/dev/null || true
