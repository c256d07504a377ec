# Installs Chromium with apt-get where that is possible, else says what is missing: the browser tests then skip.
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then exit 0; fi
done
if ! command -v apt-get >/dev/null; then
  echo "No Chromium here and no apt-get to install it with: the browser tests will be skipped."
  exit 0
fi
if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  as_root="sudo -n"
else
  echo "No Chromium here, and installing it needs root (apt-get install chromium): the browser tests will be skipped."
  exit 0
fi
{ $as_root apt-get update -qq && $as_root apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 ||
  echo "apt-get could not install chromium: the browser tests will be skipped."
