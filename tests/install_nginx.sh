# Installs nginx where that is possible, else says what is missing: the tests of replicas then skip.
if command -v nginx >/dev/null || [ -x /usr/sbin/nginx ]; then exit 0; fi
exec sh "$(dirname "$0")/install_package.sh" nginx-light "the tests of replicas"
