#!/usr/bin/env bash
# Sets our masks beside llguidance's; README.md says what it needs.
set -euo pipefail
cd "$(dirname "$0")/../.."
models="$1" out="$2" space="${3:-}"
mkdir -p "$out"
classpath="$out/classpath"
mvn -o -q -pl gpu-runtime dependency:build-classpath -Dmdep.outputFile="$classpath"
ours() {
  java --add-modules jdk.incubator.vector -Xmx4g -cp "gpu-runtime/target/test-classes:gpu-runtime/target/classes:$(cat "$classpath")" \
    io.radixflow.grammar.MaskDump "$@"
}
theirs() {
  "${PYTHON:-python3}" dev/grammar/compare_llguidance.py "$@"
}
ours schemas 60 > "$out/random.jsonl"
theirs walk "$models" "$space" "$out/cases.jsonl" \
  gpu-runtime/src/test/resources/schemas/*.json "$models"/json-schema-tests/draft2020-12/*.json "$out/random.jsonl"
ours masks "$models" "$space" "$out/cases.jsonl" "$out"
theirs compare "$models" "$space" "$out/cases.jsonl" "$out" "$out/questions.jsonl" > "$out/figures.md"
ours answers "$models" "$space" "$out/questions.jsonl" "$out"
theirs report "$out/questions.jsonl" "$out/answers.jsonl" > "$out/report.md"
