#!/bin/sh
# Build the image without a container engine or an image registry: Debian's mmdebstrap makes the
# base, pip fills a wheelhouse, buildah runs deploy/Containerfile without network.
#
#   apt-get install --no-install-recommends buildah mmdebstrap uidmap
#   deploy/build_image.sh [NAME[:TAG]]        (default: tocsin:latest)
#
# BASE_IMAGE=...  use this base instead of making one; its Python must be that of PYTHON.
# PYTHON=...      the interpreter whose wheels are fetched (default: python3).
# SUITE=...       the Debian release of the base (default: bookworm, Python 3.11).
set -eu
cd "$(dirname "$0")/.."

name=${1:-tocsin:latest}
python=${PYTHON:-python3}
suite=${SUITE:-bookworm}
base=${BASE_IMAGE:-localhost/tocsin-base:$suite}
wheels=build/wheelhouse

# vfs and chroot need no privileges beyond writing files, so this also works inside a container.
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot

if [ -z "${BASE_IMAGE:-}" ] && ! buildah inspect --type image "$base" >/dev/null 2>&1; then
    mkdir -p build
    mmdebstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates \
        "$suite" build/base.tar
    container=$(buildah from scratch)
    buildah add --quiet "$container" build/base.tar / >/dev/null
    buildah commit --quiet --format docker --rm "$container" "$base" >/dev/null
    rm build/base.tar
fi

for lock in requirements.lock deploy/requirements-build.lock; do
    "$python" -m pip download --quiet --no-deps --require-hashes --only-binary=:all: \
        --dest "$wheels" -r "$lock"
done

# The docker format keeps HEALTHCHECK, which the OCI format has no place for.
buildah bud --format docker --network none --pull-never \
    --ignorefile deploy/Containerfile.dockerignore \
    --build-arg BASE_IMAGE="$base" --build-arg PIP_NO_INDEX=1 \
    --file deploy/Containerfile --tag "$name" .
