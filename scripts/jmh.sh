#!/usr/bin/env bash
# Runs the JMH benches whose names match a pattern (all without one), on one core, and prints each one's share of the machine's limits,
# which are measured in the same run.    jmh.sh [PATTERN [ITERATIONS]]    e.g. jmh.sh LinearBench 5    RADIXFLOW_JAVA_OPTS is added.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
if [[ "${1:-}" == -h || "${1:-}" == --help ]]; then
    sed -n '2,3s/^# *//p' "${BASH_SOURCE[0]}"
    exit 2
fi
mkdir -p .cache/logs
build() {
    mvn -B "$@" -pl gpu-runtime test-compile dependency:build-classpath -Dmdep.outputFile="$root/.cache/jmh-classpath" \
        -Dmdep.includeScope=test -Dspotless.check.skip -Dcheckstyle.skip > .cache/logs/jmh-build.log 2>&1
}
build -o || build || {
    echo "jmh: the build failed; see .cache/logs/jmh-build.log" >&2
    exit 2
}
read -ra more <<< "${RADIXFLOW_JAVA_OPTS:-}"
exec java -Xmx4g -XX:+UseParallelGC @flink-conf/jvm-cpu.options "${more[@]}" \
    -cp "gpu-runtime/target/test-classes:gpu-runtime/target/classes:$(< .cache/jmh-classpath)" \
    io.radixflow.testkit.BenchRunner "$@"
