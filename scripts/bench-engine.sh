#!/usr/bin/env bash
# Measures the engine alone on the CPU: tokens a second of prefill 512 (pp), greedy decode at batch N (tgN) and 64 requests behind a
# shared prefix of 1,024 tokens (sp), or a tree of prefixes (tree, on demand).    bench-engine.sh THREADS [MODE ...]    RADIXFLOW_BENCH_MODEL names another model,
# RADIXFLOW_BENCH_ROUNDS how often each is measured after as many warm-up rounds (3), RADIXFLOW_JAVA_OPTS more options of the JVM.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
if (($# < 1)) || [[ "$1" == -h || "$1" == --help ]]; then
    sed -n '2,4s/^# *//p' "${BASH_SOURCE[0]}"
    exit 2
fi
threads="$1"
shift
modes=("${@:-}")
[[ -n "${modes[0]}" ]] || modes=(pp tg1 tg8 tg32 sp)
model="${RADIXFLOW_BENCH_MODEL:-$(compgen -G "$root/models/smollm2-135m-instruct/*.gguf" | head -n 1 || true)}"
[[ -e "$model" ]] || {
    echo "bench-engine: no model; run scripts/radixflow model fetch smollm2-135m-instruct" >&2
    exit 2
}
mkdir -p .cache/logs
if [[ ! -f .cache/bench-built || -n "$(find pom.xml gpu-runtime/pom.xml gpu-runtime/src -newer .cache/bench-built -type f -print -quit)" ]]; then
    mvn -B -o -q -pl gpu-runtime -am test-compile -Dspotless.check.skip -Dcheckstyle.skip > .cache/logs/bench-build.log 2>&1 || {
        echo "bench-engine: the build failed; see .cache/logs/bench-build.log (scripts/radixflow --help builds online first)" >&2
        exit 2
    }
    touch .cache/bench-built
fi
scripts/radixflow --version > /dev/null
read -ra more <<< "${RADIXFLOW_JAVA_OPTS:-}"
exec java -Xmx6g -XX:+UseParallelGC @flink-conf/jvm-cpu.options "${more[@]}" \
    -cp "gpu-runtime/target/test-classes:gpu-runtime/target/classes:job/target/lib/*" \
    io.radixflow.loop.EngineBench "$model" "$threads" "${RADIXFLOW_BENCH_ROUNDS:-3}" "${modes[@]}"
