#!/usr/bin/env bash
# Compiles the CUDA kernels of gpu-runtime/src/main/cuda to machine code for Hopper (sm_90a) and PTX for other GPUs (compute_80), into
# gpu-runtime/src/main/resources, with a stamp of sources and compiler.
#   --check   compiles into a folder of its own and fails if the stamp of the built kernels is not that of the sources
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
cd "$root"
source_dir=gpu-runtime/src/main/cuda
built=gpu-runtime/src/main/resources/io/radixflow/backend/cuda
is_check=false
case "${1:-}" in
    "") ;;
    --check) is_check=true ;;
    -h | --help)
        sed -n '2,4s/^# *//p' "${BASH_SOURCE[0]}"
        exit 0
        ;;
    *)
        echo "build-kernels: unknown option $1; it takes --check only" >&2
        exit 2
        ;;
esac

nvcc="$(scripts/find-nvcc.sh)"

hash_of_sources() {
    (cd "$source_dir" && find . -type f \( -name '*.cu' -o -name '*.cuh' \) | LC_ALL=C sort | xargs sha256sum | sha256sum | cut -d ' ' -f 1)
}

out="$built"
[[ "$is_check" == false ]] || out="$(mktemp -d)"
mkdir -p "$out"
started=$SECONDS
for source in "$source_dir"/*/*.cu; do
    family="$(basename "$source" .cu)"
    log="$("$nvcc" -gencode=arch=compute_90a,code=sm_90a -std=c++17 -O3 -Werror all-warnings -Xptxas -v -cubin \
        -o "$out/$family.cubin" "$source" 2>&1)" || {
        echo "$log" >&2
        exit 1
    }
    if grep -E '[1-9][0-9]* bytes spill' <<< "$log" > /dev/null && ! grep -q 'Spills:' "$source"; then
        echo "build-kernels: $source spills registers and its header doesn't say so:" >&2
        grep -E 'spill' <<< "$log" >&2
        exit 1
    fi
    if grep 'wgmma.mma_async instructions are serialized' <<< "$log" >&2; then
        echo "build-kernels: the assembler waits for each of $source's products before the next one" >&2
        exit 1
    fi
    "$nvcc" -arch=compute_80 -std=c++17 -O3 -Werror all-warnings -ptx -o "$out/$family.ptx" "$source"
done
stamp="sources=$(hash_of_sources)
compiler=nvcc 13.0.88
targets=sm_90a cubin, compute_80 ptx"
if [[ "$is_check" == true ]]; then
    rm -rf "$out"
    if [[ "$stamp" != "$(cat "$built/kernels.stamp" 2> /dev/null)" ]]; then
        echo "build-kernels: the built kernels are older than their sources; run scripts/build-kernels.sh and commit what it writes" >&2
        exit 1
    fi
else
    echo "$stamp" > "$built/kernels.stamp"
fi
echo "build-kernels: compiled $(compgen -G "$source_dir/*/*.cu" | wc -l) families in $((SECONDS - started)) s" >&2
