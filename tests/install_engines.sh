# Installs the engines that the slow tests ask where that is possible, else says what is missing: their tests then skip.
version=5.5.0 # The last line of Jena that runs on Java 17 begins with 5.
jar=.venv/engines/fuseki.jar
sum=c8611d326ac387f1e5a854f9c56571e5f3961b9ec945783c9249a1fa01e0f820 # SHA-256 of the jar that was run
place=org/apache/jena/jena-fuseki-server/$version/jena-fuseki-server-$version.jar
if command -v java >/dev/null; then
  if [ ! -f "$jar" ]; then
    mkdir -p .venv/engines
    { curl -fsSL -o "$jar.part" "https://repo1.maven.org/maven2/$place" && echo "$sum  $jar.part" | sha256sum -c --status &&
      mv "$jar.part" "$jar"; } 2>/dev/null ||
      { rm -f "$jar.part"; echo "Fuseki could not be fetched whole from Maven Central: its tests will be skipped."; }
  fi
else
  echo "No Java here (17 or later): the tests on Fuseki will be skipped."
fi
if command -v virtuoso-t >/dev/null; then exit 0; fi
exec sh "$(dirname "$0")/install_package.sh" virtuoso-opensource-7 "the tests on Virtuoso"
