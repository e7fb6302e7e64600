#!/bin/sh
# Fetch English submissions of VoxForge (GPL-3.0, http://www.voxforge.org) and unpack each to DIR/<submission>.
#   fetch_voxforge.sh DIR [COUNT]      the first COUNT of the repository's list, 100 by default
set -eu
[ $# -ge 1 ] || { echo "usage: $0 DIR [COUNT]" >&2; exit 2; }
dir=$1
count=${2:-100}
base=http://www.repository.voxforge1.org/downloads/SpeechCorpus/Trunk/Audio/Main/16kHz_16bit
mkdir -p "$dir"
curl --fail --location --silent "$base/" |
    grep -o 'href="[^"/]*\.tgz"' | cut -d '"' -f 2 | sort -u | head -n "$count" |
    while read -r archive; do
        name=${archive%.tgz}
        [ -d "$dir/$name" ] && continue
        curl --fail --location --silent --show-error --output "$dir/$archive" "$base/$archive"
        rm -rf "$dir/.unpack"
        mkdir "$dir/.unpack"
        tar -xzf "$dir/$archive" -C "$dir/.unpack"
        mv "$dir/.unpack/$name" "$dir/$name"
        rm -rf "$dir/.unpack" "$dir/$archive"
        echo "$name"
    done
echo "paretone bench --manifest $dir"
