#!/bin/sh
# Fetch parts of LibriSpeech (CC BY 4.0, https://www.openslr.org/12) and unpack them to DIR/LibriSpeech/PART.
#   fetch_librispeech.sh DIR [dev-clean|dev-other|test-clean|test-other|train-clean-100|...]
set -eu
[ $# -ge 1 ] || { echo "usage: $0 DIR [PART...]" >&2; exit 2; }
dir=$1
shift
[ $# -gt 0 ] || set -- dev-clean test-clean
mkdir -p "$dir"
for part in "$@"; do
    if [ -d "$dir/LibriSpeech/$part" ]; then
        echo "$part: already there"
        continue
    fi
    curl --fail --location --continue-at - --output "$dir/$part.tar.gz" \
        "https://www.openslr.org/resources/12/$part.tar.gz"
    # Unpack beside, then move: an interrupted run leaves no half a part behind.
    rm -rf "$dir/.unpack-$part"
    mkdir -p "$dir/.unpack-$part" "$dir/LibriSpeech"
    tar -xzf "$dir/$part.tar.gz" -C "$dir/.unpack-$part"
    mv "$dir/.unpack-$part/LibriSpeech/$part" "$dir/LibriSpeech/$part"
    rm -rf "$dir/.unpack-$part" "$dir/$part.tar.gz"
    echo "$part: paretone bench --manifest $dir/LibriSpeech/$part"
done
