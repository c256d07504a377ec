# Installs Chromium where that is possible, else says what is missing: the browser tests then skip.
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" >/dev/null; then exit 0; fi
done
exec sh "$(dirname "$0")/install_package.sh" chromium "the browser tests"
