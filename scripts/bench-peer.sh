#!/usr/bin/env bash
# Measures the engine on the CPU against llama.cpp: runs of both in turns, then medians.
#     bench-peer.sh LLAMA_BENCH [-t THREADS] [-r ROUNDS] [-m MODEL.gguf] [-p PEER_MODEL.gguf] [MODE ...]
# LLAMA_BENCH MODEL THREADS MODE is a program over libllama that prints "NAME T=n X tok/s wall Y tok/cpu-s/core*T" lines for the modes
# pp tg1 tg8 tg32 sp:8:slots sp:32:seqcp. -p names a file for it alone, such as the same weights as Q4_0. Modes of ours are pp tgN sp;
# sp is compared with one prefill for each of 8 slots and with one prefill copied to 32 sequences. One thread is fairest on a shared machine.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
usage() {
    sed -n '2,6s/^# *//p' "${BASH_SOURCE[0]}"
    exit 2
}
(($# >= 1)) && [[ "$1" != -h && "$1" != --help ]] || usage
peer="$1"
shift
threads=1 rounds=3 peer_models=()
model="$(compgen -G "$root/models/smollm2-135m-instruct/*.gguf" | head -n 1 || true)"
while getopts t:r:m:p: option; do
    case "$option" in
        t) threads="$OPTARG" ;;
        r) rounds="$OPTARG" ;;
        m) model="$OPTARG" ;;
        p) peer_models+=("$OPTARG") ;;
        *) usage ;;
    esac
done
shift $((OPTIND - 1))
modes=("${@:-}")
[[ -n "${modes[0]}" ]] || modes=(pp tg1 tg8 tg32 sp)
[[ -x "$peer" ]] || { echo "bench-peer: $peer is not a program" >&2; exit 2; }
for file in "$model" "${peer_models[@]}"; do
    [[ -f "$file" ]] || { echo "bench-peer: no model file '$file'; fetch one or name it with -m" >&2; exit 2; }
done

results="$(mktemp -d)"
trap 'rm -rf "$results"' EXIT

# Appends "processor-time-rate wall-rate" of each measured line to a file.
keep() {
    sed -nE '/warm-up/!s/.*T=[0-9]+ +([0-9.]+) tok\/s wall +([0-9.]+) tok\/.*/\2 \1/p' | tee -a "$1" | sed "s|^|  $(basename "$1"): |" >&2
}

ours() {
    RADIXFLOW_BENCH_MODEL="$model" RADIXFLOW_BENCH_ROUNDS=2 scripts/bench-engine.sh "$threads" "$1" | keep "$results/$1.ours"
}

theirs() {
    "$peer" "$2" "$threads" "$3" | keep "$results/$1.$3.$(basename "$2")"
}

for ((round = 0; round < rounds; round++)); do
    for mode in "${modes[@]}"; do
        echo "round $((round + 1)) of $rounds: $mode" >&2
        peer_modes=("$mode")
        [[ "$mode" == sp ]] && peer_modes=(sp:8:slots sp:32:seqcp)
        ours "$mode"
        for peer_mode in "${peer_modes[@]}"; do
            for file in "$model" "${peer_models[@]}"; do
                theirs "$mode" "$file" "$peer_mode"
            done
        done
    done
done

median() {
    cut -d ' ' -f "$2" "$1" | sort -g | awk '{ v[NR] = $1 } END { print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

echo "| $threads threads, medians of $rounds rounds | tok/s of processor time x threads | tok/s wall | ours / theirs, processor time | wall |"
echo "| --- | --- | --- | --- | --- |"
for mode in "${modes[@]}"; do
    our_cpu="$(median "$results/$mode.ours" 1)"
    our_wall="$(median "$results/$mode.ours" 2)"
    echo "| $mode, ours | $our_cpu | $our_wall | | |"
    for file in "$results/$mode."*; do
        [[ "$file" == *.ours ]] && continue
        cpu="$(median "$file" 1)"
        wall="$(median "$file" 2)"
        awk -v name="$(basename "$file")" -v a="$our_cpu" -v b="$cpu" -v c="$our_wall" -v d="$wall" \
            'BEGIN { printf "| llama.cpp %s | %s | %s | %.2f | %.2f |\n", name, b, d, a / b, c / d }'
    done
done
