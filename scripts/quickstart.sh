#!/usr/bin/env bash
# Builds, fetches a small model, then answers examples/prompts.jsonl through a real Kafka broker and Flink.
# Options are those of `scripts/radixflow quickstart`, such as --keep, --port, --model NAME.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
model=smollm2-135m-instruct
is_fetching=true
arguments=("$@")
for ((i = 0; i < ${#arguments[@]}; i++)); do
    case "${arguments[i]}" in
        --model=*) model="${arguments[i]#--model=}" ;;
        --model) model="${arguments[i + 1]:-}" ;;
        --model-path | --model-path=* | -h | --help) is_fetching=false ;;
    esac
done

if [[ "$is_fetching" == true ]]; then
    # Already there costs a moment and no network.
    compgen -G "$root/models/$model/*.gguf" > /dev/null || "$root/scripts/radixflow" model fetch "$model"
fi
exec "$root/scripts/radixflow" quickstart "$@"
