#!/usr/bin/env bash
# Builds the ladders: dev/cuda/build.sh [NAME...] makes .cache/dev-cuda/NAME of each dev/cuda/NAME.cu, of all without a NAME.
#   --check   only translates them to PTX, which needs no GPU, and leaves out what hasn't changed since it was last right
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
cd "$root"
kernels=gpu-runtime/src/main/cuda
out=.cache/dev-cuda
is_check=false
names=()
for argument in "$@"; do
    case "$argument" in
        --check) is_check=true ;;
        -h | --help)
            sed -n '2,3s/^# *//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *)
            [[ -e "dev/cuda/$argument.cu" ]] || {
                echo "dev/cuda/build: no dev/cuda/$argument.cu; it takes names of programs, and --check" >&2
                exit 2
            }
            names+=("$argument")
            ;;
    esac
done
if ((${#names[@]} == 0)); then
    for source in dev/cuda/*.cu; do names+=("$(basename "$source" .cu)"); done
fi
nvcc="$(scripts/find-nvcc.sh)"
mkdir -p "$out/steps"

# A kernel source as one text: what it includes of its own folder in place, what is in common/ and the library's headers left to bench.cuh, and
# kernels for shapes that no ladder has left out.
flatten() {
    awk -v folder="$(dirname "$1")" -v first="$(basename "$1")" '
        function take(path,   line, part, number) {
            if (path in seen) return
            seen[path] = 1
            print "#line 1 \"" path "\""
            while ((getline line < path) > 0) {
                number++
                if (line ~ /^#include (<|"\.\.\/common\/)/ || line ~ /^#pragma once/) print ""
                else if (line ~ /^#include "/) {
                    split(line, part, "\"")
                    take(folder "/" part[2])
                    print "#line " number + 1 " \"" path "\""
                } else print line
            }
            close(path)
        }
        BEGIN { take(folder "/" first) }' \
        | sed -E '/^[A-Z_]+\(64(, [0-9]+)?\)$/s/.*//; /^[A-Z_]+\(128, 16\)$/s/.*//; s/extern "C" //'
}

# The header of a step of steps.txt: its kernels in a namespace of its name.
make_step() {
    local step source change text changed
    read -r step source change < <(grep -E "^$1( |$)" dev/cuda/steps.txt) || true
    [[ -n "${source:-}" && -e "$kernels/$source" ]] || {
        echo "dev/cuda/build: steps.txt has no step $1, or its source isn't there" >&2
        exit 1
    }
    text="$(flatten "$kernels/$source")"
    changed="$text"
    if [[ -n "$change" ]]; then
        changed="$(sed -E "$change" <<< "$text")"
        [[ "$changed" != "$text" ]] || {
            echo "dev/cuda/build: the change of step $step no longer finds anything to change in $source: $change" >&2
            exit 1
        }
    fi
    {
        printf 'namespace %s {\n%s\n}\n' "$step" "$changed"
        sed -nE 's/^#define ([A-Z_]+).*/#undef \1/p' <<< "$changed"
    } > "$out/steps/$step.cuh.new"
    cmp -s "$out/steps/$step.cuh.new" "$out/steps/$step.cuh" || cp "$out/steps/$step.cuh.new" "$out/steps/$step.cuh"
    rm "$out/steps/$step.cuh.new"
}

steps_of() { sed -nE 's/^#include "steps\/(.*)\.cuh"$/\1/p' "dev/cuda/$1.cu" dev/cuda/*.cuh | sort -u; }

hash_of() {
    local step
    {
        cat "dev/cuda/$1.cu" dev/cuda/*.cuh dev/cuda/build.sh scripts/find-nvcc.sh "$kernels"/common/*
        for step in $(steps_of "$1"); do cat "$out/steps/$step.cuh"; done
    } | sha256sum | cut -d ' ' -f 1
}

started=$SECONDS
options=(-std=c++17 -O3 -Werror all-warnings -I "$kernels" -I "$out" -I dev/cuda)
for name in "${names[@]}"; do
    for step in $(steps_of "$name"); do make_step "$step"; done
    if [[ "$is_check" == true ]]; then
        hash="$(hash_of "$name")"
        [[ "$hash" != "$(cat "$out/$name.right" 2> /dev/null)" ]] || continue
        "$nvcc" -arch=compute_90a "${options[@]}" -ptx -o "$out/$name.ptx" "dev/cuda/$name.cu"
        echo "$hash" > "$out/$name.right"
    else
        "$nvcc" -gencode=arch=compute_90a,code=sm_90a "${options[@]}" -cudart static -L "$(dirname "$nvcc")/../lib" -ldl \
            -o "$out/$name" "dev/cuda/$name.cu"
        echo "$out/$name"
    fi
done
echo "dev/cuda/build: ${#names[@]} ladders in $((SECONDS - started)) s" >&2
