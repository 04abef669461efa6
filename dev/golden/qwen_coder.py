"""Writes what transformers computes in fp32 from Qwen2.5-Coder's dequantised GGUF weights by teacher forcing: teacher.bin.gz.

Usage: qwen_coder.py MODEL.gguf OUTPUT_FOLDER
Token ids come from the GGUF's own vocabulary and merges.
"""

import pathlib
import sys

import gguf
import numpy as np
import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

import llama_gguf
from teacher import teacher_forcing
from tokenizer_goldens import from_gguf


def load(path):
    """A Qwen2ForCausalLM in fp32. Unlike llama's, this architecture's Q and K rows stand in GGUF as in transformers."""
    reader = gguf.GGUFReader(path)

    def field(name):
        return reader.fields["qwen2." + name].contents()

    tensors = {t.name: t for t in reader.tensors}
    config = Qwen2Config(
        vocab_size=int(tensors["token_embd.weight"].shape[1]),
        hidden_size=field("embedding_length"),
        intermediate_size=field("feed_forward_length"),
        num_hidden_layers=field("block_count"),
        num_attention_heads=field("attention.head_count"),
        num_key_value_heads=field("attention.head_count_kv"),
        max_position_embeddings=field("context_length"),
        rms_norm_eps=field("attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": field("rope.freq_base")},
        tie_word_embeddings="output.weight" not in tensors,
        attn_implementation="eager",
    )
    pairs = llama_gguf.names(config.num_hidden_layers, config.tie_word_embeddings)
    for layer in range(config.num_hidden_layers):
        for part in "qkv":
            pairs[f"model.layers.{layer}.self_attn.{part}_proj.bias"] = f"blk.{layer}.attn_{part}.bias"
    state = {}
    for theirs, ours in pairs.items():
        tensor = tensors.pop(ours)
        weight = np.array(gguf.quants.dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        state[theirs] = torch.from_numpy(weight.reshape([int(d) for d in reversed(tensor.shape)]))
    if tensors:
        raise ValueError(f"unused tensors {list(tensors)}")
    with torch.device("meta"):
        model = Qwen2ForCausalLM(config)
    missing, unexpected = model.load_state_dict(state, strict=False, assign=True)
    if missing or unexpected:
        raise ValueError(f"missing {missing}, unexpected {unexpected}")
    model.model.rotary_emb = type(model.model.rotary_emb)(config)  # its frequencies are no weights
    return model.float().eval()


def main(model_path, path):
    teacher_forcing(load(model_path), from_gguf(model_path), path)


main(sys.argv[1], pathlib.Path(sys.argv[2]))
