"""Writes tiny random llamas as GGUF files, and the fp32 logits that transformers computes from their stored weights.

Usage: tiny_llama.py OUTPUT_FOLDER
"""

import json
import pathlib
import sys

import gguf
import numpy as np
import torch
import transformers
from gguf import GGMLQuantizationType as Kind
from transformers import LlamaConfig

import llama_gguf

SEED = 20261122
SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# name: tied embedding?, rope base, type of matrices, of the embedding, of the output matrix
VARIANTS = {
    "tied-f32": (True, 10000.0, Kind.F32, Kind.F32, None),
    "untied-f16": (False, 500000.0, Kind.F16, Kind.F16, Kind.BF16),
    "tied-q8_0": (True, 10000.0, Kind.Q8_0, Kind.Q8_0, None),
    "tied-q4_0": (True, 10000.0, Kind.Q4_0, Kind.Q4_0, None),
    "tied-q4_1": (True, 10000.0, Kind.Q4_1, Kind.Q8_0, None),
}


def byte_tokens():
    """GPT-2's printable stand-ins of the 256 bytes."""
    kept = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in kept]
    stand_in = {b: chr(b) for b in kept} | {b: chr(256 + i) for i, b in enumerate(others)}
    return [stand_in[b] for b in range(256)]


def vocabulary():
    bytes_ = byte_tokens()
    merges = ["Ġ t", "h e", "i n", "Ġt he", "e r"]
    return SPECIALS + bytes_ + [merge.replace(" ", "") for merge in merges], merges


def random_state(config, generator):
    state = {}
    for name, shape in shapes(config).items():
        noise = torch.randn(shape, generator=generator)
        if len(shape) == 1:
            state[name] = 1 + 0.2 * noise
        elif "embed" in name or "lm_head" in name:
            state[name] = 0.5 * noise
        else:
            state[name] = noise * 1.5 / shape[1] ** 0.5
    return state


def shapes(config):
    model = transformers.LlamaForCausalLM(config)
    names = llama_gguf.names(config.num_hidden_layers, config.tie_word_embeddings)
    parameters = dict(model.named_parameters())
    return {name: tuple(parameters[name].shape) for name in names}


def write(path, variant, sequences):
    is_tied, rope_base, matrix, embedding, output = VARIANTS[variant]
    tokens, merges = vocabulary()
    config = LlamaConfig(
        vocab_size=len(tokens), hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=512, rms_norm_eps=1e-5, tie_word_embeddings=is_tied,
        rope_parameters={"rope_type": "default", "rope_theta": rope_base}, attn_implementation="eager")
    writer = gguf.GGUFWriter(path / f"{variant}.gguf", "llama")
    writer.add_name("tiny-llama " + variant)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_rope_freq_base(rope_base)
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3] * len(SPECIALS) + [1] * (len(tokens) - len(SPECIALS)))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(TEMPLATE)

    stored = {}
    state = random_state(config, torch.Generator().manual_seed(SEED))
    for theirs, ours in llama_gguf.names(config.num_hidden_layers, is_tied).items():
        weight = state[theirs].numpy()
        heads = llama_gguf.num_rotated_heads(ours, config)
        if heads:
            weight = llama_gguf.to_adjacent(weight, heads)
        kind = Kind.F32 if weight.ndim == 1 else {"token_embd.weight": embedding, "output.weight": output}.get(ours, matrix)
        data, values = llama_gguf.encode(weight, kind)
        writer.add_tensor(ours, data, raw_dtype=kind)
        stored[theirs] = torch.from_numpy(llama_gguf.to_halves(values, heads) if heads else values)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    model = llama_gguf.build(config, stored)
    with torch.no_grad():
        logits = [model(torch.tensor([ids])).logits[0].numpy() for ids in sequences]
    np.concatenate(logits).astype("<f4").tofile(path / f"{variant}.logits")
    print(variant, "logits std", float(np.concatenate(logits).std()))


def main(path):
    rng = np.random.default_rng(SEED)
    sequences = [rng.integers(0, len(vocabulary()[0]), size=n).tolist() for n in (1, 5, 40)]
    (path / "sequences.json").write_text(json.dumps(sequences) + "\n")
    for variant in VARIANTS:
        write(path, variant, sequences)


main(pathlib.Path(sys.argv[1]))
