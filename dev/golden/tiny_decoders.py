"""Writes tiny random decoders as transformers does, and what transformers computes from them; and rope frequencies of every kind.

Usage: tiny_decoders.py OUTPUT_FOLDER
"""

import json
import pathlib
import sys
import tempfile

import numpy as np
import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

SEED = 20261124
VOCAB_SIZE = 96
TRAINED_LEN = 64
LOGITS_STRIDE = 4
NUM_ARGMAX_SEQUENCES = 40

# architecture: config, model, tied embedding?, type of the stored weights, largest shard
ARCHITECTURES = {
    "llama": (LlamaConfig, LlamaForCausalLM, False, torch.float32, "1GB"),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM, False, torch.float16, "30KB"),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM, True, torch.bfloat16, "1GB"),
}
# kind: rope settings, max_position_embeddings, tokens of the sequence
KINDS = {
    "default": ({"rope_type": "default"}, TRAINED_LEN, 60),
    "linear": ({"rope_type": "linear", "factor": 4.0}, TRAINED_LEN, 120),
    "dynamic": ({"rope_type": "dynamic", "factor": 4.0}, TRAINED_LEN, 120),
    "yarn": (
        {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": TRAINED_LEN}, TRAINED_LEN, 200),
    "llama3": (
        {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
         "original_max_position_embeddings": 32}, 256, 120),
}
# rope settings, base, head_dim, max_position_embeddings, length for those that depend on it
FREQUENCY_CASES = [
    ({"rope_type": "default"}, 10000.0, 64, 2048, None),
    ({"rope_type": "default"}, 1000000.0, 128, 40960, None),
    ({"rope_type": "default"}, 500000.0, 80, 8192, None),
    ({"rope_type": "linear", "factor": 4.0}, 10000.0, 128, 4096, None),
    ({"rope_type": "linear", "factor": 2.5}, 1000000.0, 64, 4096, None),
    ({"rope_type": "dynamic", "factor": 2.0}, 10000.0, 128, 4096, 4096),
    ({"rope_type": "dynamic", "factor": 2.0}, 10000.0, 128, 4096, 1000),
    ({"rope_type": "dynamic", "factor": 2.0}, 10000.0, 128, 4096, 8192),
    ({"rope_type": "dynamic", "factor": 4.0}, 1000000.0, 64, 32768, 100000),
    ({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}, 1000000.0, 128, 40960, None),
    ({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32768}, 1000000.0, 64, 32768, None),
    ({"rope_type": "yarn", "factor": 1.0, "original_max_position_embeddings": 4096}, 10000.0, 64, 4096, None),
    ({"rope_type": "yarn", "factor": 16.0, "original_max_position_embeddings": 2048, "attention_factor": 1.25},
     10000.0, 128, 32768, None),
    ({"rope_type": "yarn", "factor": 40.0, "original_max_position_embeddings": 4096, "mscale": 0.707,
      "mscale_all_dim": 0.5}, 10000.0, 64, 163840, None),
    ({"rope_type": "yarn", "factor": 40.0, "original_max_position_embeddings": 4096, "mscale": 1.0,
      "mscale_all_dim": 1.0}, 10000.0, 64, 163840, None),
    ({"rope_type": "yarn", "factor": 8.0, "original_max_position_embeddings": 8192, "beta_fast": 64.0,
      "beta_slow": 2.0}, 500000.0, 128, 65536, None),
    ({"rope_type": "yarn", "factor": 32.0, "original_max_position_embeddings": 4096, "truncate": False},
     150000.0, 64, 131072, None),
    ({"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 16, "beta_fast": 1.0, "beta_slow": 1.0},
     10000.0, 16, 64, None),
    ({"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
      "original_max_position_embeddings": 8192}, 500000.0, 128, 131072, None),
    ({"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
      "original_max_position_embeddings": 8192}, 500000.0, 64, 131072, None),
]


def new_config(architecture, rope, max_len):
    config_class, _, is_tied, dtype, _ = ARCHITECTURES[architecture]
    return config_class(
        vocab_size=VOCAB_SIZE, hidden_size=48, intermediate_size=64, num_hidden_layers=2, num_attention_heads=3,
        num_key_value_heads=1, head_dim=32 if architecture == "qwen3" else 16, max_position_embeddings=max_len,
        rms_norm_eps=1e-6, tie_word_embeddings=is_tied, rope_parameters={**rope, "rope_theta": 10000.0},
        bos_token_id=1, eos_token_id=2, pad_token_id=None, attn_implementation="eager", dtype=dtype)


def randomize(model, dtype, generator):
    """Weights that the stored type holds exactly."""
    for name, parameter in model.named_parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        if name.endswith("bias"):
            value = 0.5 * noise
        elif parameter.dim() == 1:
            value = 1 + 0.2 * noise
        elif "embed" in name or "lm_head" in name:
            value = 0.5 * noise
        else:
            value = noise * 1.5 / parameter.shape[1] ** 0.5
        parameter.data = value.to(dtype).float()


def logits_of(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0].float().numpy()


def write_architecture(path, architecture, rng):
    _, model_class, _, dtype, shard = ARCHITECTURES[architecture]
    folder = path / architecture
    folder.mkdir(parents=True)
    base = model_class(new_config(architecture, {"rope_type": "default"}, TRAINED_LEN)).float().eval()
    randomize(base, dtype, torch.Generator().manual_seed(SEED))
    base.tie_weights()
    state = base.state_dict()
    base.to(dtype).save_pretrained(folder, max_shard_size=shard)
    for needless in ("config.json", "generation_config.json"):
        (folder / needless).unlink()
    for kind, (rope, max_len, num_tokens) in KINDS.items():
        config = new_config(architecture, rope, max_len)
        model = model_class(config).float().eval()
        model.load_state_dict({name: weight.float() for name, weight in state.items()})
        model.tie_weights()
        ids = rng.integers(0, VOCAB_SIZE, size=num_tokens).tolist()
        logits = logits_of(model, ids)
        kept = list(range(0, num_tokens, LOGITS_STRIDE)) + [num_tokens - 1]
        logits[kept].astype("<f4").tofile(folder / f"{kind}.logits")
        config.save_pretrained(folder)
        (folder / "config.json").rename(folder / f"{kind}.json")
        (folder / f"{kind}.ids.json").write_text(json.dumps(ids) + "\n")
        print(architecture, kind, "logits std", float(logits.std()))


def write_argmax(path, architecture, rng):
    """Of bf16 weights: fp32 arithmetic's and bf16 arithmetic's likeliest tokens, the second only as a yardstick."""
    _, model_class, _, dtype, _ = ARCHITECTURES[architecture]
    model = model_class(new_config(architecture, {"rope_type": "default"}, TRAINED_LEN)).float().eval()
    randomize(model, dtype, torch.Generator().manual_seed(SEED))
    model.tie_weights()
    for parameter in model.parameters():
        parameter.data = parameter.data.to(torch.bfloat16).float()
    sequences = rng.integers(0, VOCAB_SIZE, size=(NUM_ARGMAX_SEQUENCES, TRAINED_LEN))
    in_fp32 = np.concatenate([logits_of(model, ids.tolist()).argmax(-1) for ids in sequences])
    with tempfile.TemporaryDirectory() as folder:
        # by way of files: unlike model.to(), loading leaves the rotation's frequencies in fp32
        model.to(torch.bfloat16).save_pretrained(folder)
        model = model_class.from_pretrained(folder, dtype=torch.bfloat16, attn_implementation="eager").eval()
    in_bf16 = np.concatenate([logits_of(model, ids.tolist()).argmax(-1) for ids in sequences])
    np.stack([sequences.reshape(-1), in_fp32, in_bf16]).astype(np.uint8).tofile(path / architecture / "bf16.argmax")
    print(architecture, "transformers' own bf16 arithmetic agrees with its fp32:", float((in_bf16 == in_fp32).mean()))


def write_frequencies(path):
    cases = []
    for rope, base, head_dim, max_len, length in FREQUENCY_CASES:
        config = LlamaConfig(
            hidden_size=head_dim * 4, num_attention_heads=4, head_dim=head_dim, max_position_embeddings=max_len,
            rope_parameters={**rope, "rope_theta": base})
        compute = ROPE_INIT_FUNCTIONS.get(rope["rope_type"], LlamaRotaryEmbedding.compute_default_rope_parameters)
        frequencies, attention_factor = compute(config, **({"seq_len": length} if length else {}))
        cases.append({
            "config": {"max_position_embeddings": max_len, "rope_parameters": {**rope, "rope_theta": base}},
            "headDim": head_dim, "contextLen": length or max_len, "attentionFactor": attention_factor,
            "frequencies": [float(f"{f:.9g}") for f in frequencies.tolist()]})
    (path / "frequencies.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


def main(path):
    print("transformers", transformers.__version__, "torch", torch.__version__)
    rng = np.random.default_rng(SEED)
    for architecture in ARCHITECTURES:
        write_architecture(path, architecture, rng)
        write_argmax(path, architecture, rng)
    write_frequencies(path)


main(pathlib.Path(sys.argv[1]))
