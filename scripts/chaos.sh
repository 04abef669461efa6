#!/usr/bin/env bash
# Answers records on a real cluster (JobManager, two TaskManagers, ZooKeeper, broker) while its processes are killed with kill -9, and
# checks that each answer came once and equals that of an unbroken run. --help shows the options; without any: 10,000 records, 20 kills.
set -euo pipefail

home="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$home"
mkdir -p .cache/logs
echo "chaos.sh: building (log: .cache/logs/chaos-build.log) ..." >&2
mvn -B -o -pl dist -am package dependency:build-classpath -Dmdep.outputFile=target/test.classpath -Dmdep.includeScope=test \
    -DskipTests -Dspotless.check.skip -Dcheckstyle.skip > .cache/logs/chaos-build.log 2>&1 \
    || { grep -m 3 '^\[ERROR\]' .cache/logs/chaos-build.log >&2; exit 2; }
java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
exec "$java" -Xmx512m "-Dradixflow.home=$home" "-Dradixflow.log.dir=$home/.cache/logs" \
    -cp "dist/target/test-classes:$(< dist/target/test.classpath)" io.radixflow.job.cli.ChaosCommand "$@"
