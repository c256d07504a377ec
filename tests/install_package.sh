# sh tests/install_package.sh PACKAGE WHAT: installs a Debian package with apt-get where that is possible, else says that
# the tests of WHAT will be skipped. Ends well in either case.
package=$1 what=$2
if ! command -v apt-get >/dev/null; then
  echo "No $package here and no apt-get to install it with: $what will be skipped."
  exit 0
fi
if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root="sudo -n"
else
  echo "No $package here, and installing it needs root (apt-get install $package): $what will be skipped."
  exit 0
fi
{ $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
  --no-install-recommends "$package"; } >/dev/null 2>&1 ||
  echo "apt-get could not install $package: $what will be skipped."
