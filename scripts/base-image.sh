#!/usr/bin/env bash
# Builds the Dockerfile's base image without an image registry: Debian by debootstrap, Node.js and npm from npm.
# It needs root and a Docker engine. It does not replace an existing image of that name.
set -euo pipefail

tag="${BASE_IMAGE:-node:24-bookworm-slim}"
if docker image inspect "$tag" >/dev/null 2>&1; then exit 0; fi

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
root="$folder/root"

echo "Making $tag from Debian's packages and npm's …"
if ! command -v debootstrap >/dev/null; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
fi
release="$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")"
sources="$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -n 1)"
if ! debootstrap --variant=minbase --include=ca-certificates "$release" "$root" ${sources:+"$sources"} >"$folder/log" 2>&1; then
  tail -n 5 "$folder/log" >&2
  echo 'debootstrap failed; the lines above say why.' >&2
  exit 1
fi

# Use the same Node.js as the scripts, and the npm that belongs to it.
(cd "$folder" && npm install --silent --no-save --prefix packages node@24 npm@11 >/dev/null)
install -m 755 "$folder/packages/node_modules/node/bin/node" "$root/usr/local/bin/node"
mkdir -p "$root/usr/local/lib/node_modules"
cp -R "$folder/packages/node_modules/npm" "$root/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
# The build needs all certificate authorities that this machine trusts, including that of a proxy.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
chroot "$root" groupadd --gid 1000 node
chroot "$root" useradd --uid 1000 --gid node --create-home node

tar -C "$root" -cf - . | docker import --change 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' - "$tag" >/dev/null
