"""Between transformers' llama weights and GGUF tensors: names, the row order of Q and K, and types."""

import gguf
import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

LAYER_NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}


def names(num_layers, is_tied):
    """transformers' names to GGUF's."""
    pairs = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight"}
    if not is_tied:
        pairs["lm_head.weight"] = "output.weight"
    for layer in range(num_layers):
        for theirs, ours in LAYER_NAMES.items():
            pairs[f"model.layers.{layer}.{theirs}.weight"] = f"blk.{layer}.{ours}.weight"
    return pairs


def num_rotated_heads(gguf_name, config):
    """Heads whose rows the GGUF stores for adjacent pairs; 0 if the tensor isn't rotated."""
    if ".attn_q." in gguf_name:
        return config.num_attention_heads
    if ".attn_k." in gguf_name:
        return config.num_key_value_heads
    return 0


def to_adjacent(weight, num_heads):
    """Rows of each head from (first half, second half) to (pair, pair, ...)."""
    rows, cols = weight.shape
    halves = weight.reshape(num_heads, 2, rows // num_heads // 2, cols)
    return np.ascontiguousarray(np.swapaxes(halves, 1, 2).reshape(rows, cols))


def to_halves(weight, num_heads):
    rows, cols = weight.shape
    pairs = weight.reshape(num_heads, rows // num_heads // 2, 2, cols)
    return np.ascontiguousarray(np.swapaxes(pairs, 1, 2).reshape(rows, cols))


def bf16_bits(weight):
    return torch.from_numpy(weight).to(torch.bfloat16).view(torch.int16).numpy().view(np.uint16)


def encode(weight, kind):
    """A float32 array as GGUF bytes of that type, and the float32 values that those bytes stand for."""
    if kind == gguf.GGMLQuantizationType.F32:
        return weight, weight
    if kind == gguf.GGMLQuantizationType.F16:
        half = weight.astype(np.float16)
        return half, half.astype(np.float32)
    if kind == gguf.GGMLQuantizationType.BF16:
        bits = bf16_bits(weight)
        return bits.view(np.uint8), (bits.astype(np.uint32) << 16).view(np.float32)
    data = gguf.quants.quantize(weight, kind)
    return data, gguf.quants.dequantize(data, kind)


def load(path):
    """A LlamaForCausalLM in fp32 on the dequantised weights of a GGUF file."""
    reader = gguf.GGUFReader(path)

    def field(name):
        return reader.fields["llama." + name].contents()

    tensors = {t.name: t for t in reader.tensors}
    is_tied = "output.weight" not in tensors
    config = LlamaConfig(
        vocab_size=int(tensors["token_embd.weight"].shape[1]),
        hidden_size=field("embedding_length"),
        intermediate_size=field("feed_forward_length"),
        num_hidden_layers=field("block_count"),
        num_attention_heads=field("attention.head_count"),
        num_key_value_heads=field("attention.head_count_kv"),
        max_position_embeddings=field("context_length"),
        rms_norm_eps=field("attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": field("rope.freq_base")},
        tie_word_embeddings=is_tied,
        attn_implementation="eager",
    )
    state = {}
    for theirs, ours in names(config.num_hidden_layers, is_tied).items():
        tensor = tensors[ours]
        weight = np.array(gguf.quants.dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        weight = weight.reshape([int(d) for d in reversed(tensor.shape)])
        heads = num_rotated_heads(ours, config)
        state[theirs] = torch.from_numpy(to_halves(weight, heads) if heads else weight)
    return reader, build(config, state)


def build(config, state):
    """The model of these weights; fails on a missing or an unknown name."""
    model = LlamaForCausalLM(config).float().eval()
    missing, unexpected = model.load_state_dict(state, strict=False)
    allowed = {"lm_head.weight"} if config.tie_word_embeddings else set()
    if set(missing) - allowed or unexpected:
        raise ValueError(f"missing {missing}, unexpected {unexpected}")
    model.tie_weights()
    return model
