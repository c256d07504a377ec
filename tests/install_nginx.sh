# Installs nginx with apt-get where that is possible, else says what is missing: the tests of replicas then skip.
if command -v nginx >/dev/null || [ -x /usr/sbin/nginx ]; then exit 0; fi
if ! command -v apt-get >/dev/null; then
  echo "No nginx here and no apt-get to install it with: the tests of replicas will be skipped."
  exit 0
fi
if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root="sudo -n"
else
  echo "No nginx here, and installing it needs root (apt-get install nginx-light): the tests of replicas will be skipped."
  exit 0
fi
{ $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends nginx-light; } >/dev/null 2>&1 ||
  echo "apt-get could not install nginx-light: the tests of replicas will be skipped."
