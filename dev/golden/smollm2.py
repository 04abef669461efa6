"""Writes what transformers computes in fp32 from SmolLM2's dequantised GGUF weights: teacher forcing, and greedy dialogues.

Usage: smollm2.py MODEL.gguf TOKENIZER.json OUTPUT_FOLDER
TOKENIZER.json is built from the GGUF's own vocabulary and merges (transformers' GGUF tokenizer drops the splitting of digits).
"""

import json
import pathlib
import sys

import jinja2
import tokenizers
import torch

import llama_gguf
from teacher import teacher_forcing
from texts import DIALOGUES

MAX_NEW_TOKENS = 64


def greedy(model, prompt, eos):
    """Ids up to and without the end token, and the smallest distance of a chosen logit from the second best."""
    output, smallest = [], float("inf")
    past, ids = None, torch.tensor([prompt])
    with torch.no_grad():
        while len(output) < MAX_NEW_TOKENS:
            result = model(ids, past_key_values=past, use_cache=True)
            past = result.past_key_values
            values, indices = torch.topk(result.logits[0, -1], 2)
            smallest = min(smallest, float(values[0] - values[1]))
            token = int(indices[0])
            if token == eos:
                return output, smallest, True
            output.append(token)
            ids = torch.tensor([[token]])
    return output, smallest, False


def dialogues(model, reader, tokenizer, path):
    environment = jinja2.Environment(trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(reader.fields["tokenizer.chat_template"].contents())
    eos = reader.fields["tokenizer.ggml.eos_token_id"].contents()
    entries = []
    for dialogue in DIALOGUES:
        messages = [{"role": role, "content": content} for role, content in dialogue]
        prompt = template.render(messages=messages, add_generation_prompt=True)
        ids = tokenizer.encode(prompt, add_special_tokens=False).ids
        output, gap, is_ended = greedy(model, ids, eos)
        entries.append(
            {
                "messages": messages, "prompt": prompt, "promptIds": ids, "outputIds": output,
                "output": tokenizer.decode(output, skip_special_tokens=False), "endedByEos": is_ended,
                "smallestLogitGap": round(gap, 6),
            })
        print(f"{gap:.4f}", is_ended, repr(entries[-1]["output"][:90]))
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    (path / "dialogues.json").write_text("[\n" + lines + "\n]\n")


def main(model_path, tokenizer_path, path):
    reader, model = llama_gguf.load(model_path)
    tokenizer = tokenizers.Tokenizer.from_file(tokenizer_path)
    teacher_forcing(model, tokenizer, path)
    dialogues(model, reader, tokenizer, path)


main(sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]))
