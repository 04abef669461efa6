#!/usr/bin/env bash
# Prints the path of the CUDA compiler that everything here is built with, which it first fetches with pip into .cache/nvcc if it isn't there.
# The same one everywhere, whatever is installed: what is built must not depend on the machine.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
tools="$root/.cache/nvcc"
if ! compgen -G "$tools/nvidia/cu13/bin/nvcc" > /dev/null; then
    echo "find-nvcc: fetching nvcc with pip into .cache/nvcc" >&2
    python3 -m pip install -q --no-deps --target "$tools" 'nvidia-cuda-nvcc==13.0.88' 'nvidia-cuda-runtime==13.0.96' \
        'nvidia-cuda-cccl==13.0.85' 'nvidia-nvvm==13.0.88' 'nvidia-cuda-crt==13.0.88' >&2 || {
        echo "find-nvcc: nvcc can't be fetched; it needs Python 3 with pip and its package index" >&2
        exit 2
    }
fi
chmod +x "$tools"/nvidia/cu13/bin/* "$tools"/nvidia/cu13/nvvm/bin/* 2> /dev/null || true
echo "$tools/nvidia/cu13/bin/nvcc"
