"""Trains small byte-level decoders on this repository's own texts, and writes them with what transformers computes from them.

Usage: trained_decoders.py OUTPUT_FOLDER [ARCHITECTURE...]

Random models' logits lie close together, so that bf16 arithmetic often changes the largest one. These have learned something: they show whether a
backend's rounding changes what a model says.
"""

import hashlib
import json
import math
import pathlib
import subprocess
import sys

import numpy as np
import torch
import transformers
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

SEED = 20261201
COMMIT = "dc142e8488f84931576037cd30b3536bcc338873"  # of this repository: whose texts
SUFFIXES = (".java", ".md")
VOCAB_SIZE = 256  # a token is a byte
LEN = 128
NUM_SEQUENCES = 24
LOGITS_STRIDE = 32
NUM_STEPS = 1000
BATCH = 16
PEAK_RATE = 4e-3
NUM_WARMUP_STEPS = 40

# architecture: config, model, what differs
ARCHITECTURES = {
    "llama": (LlamaConfig, LlamaForCausalLM, {
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64, "intermediate_size": 192,
        "tie_word_embeddings": False}),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM, {
        "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 256, "tie_word_embeddings": True}),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM, {
        "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 128, "intermediate_size": 192,
        "tie_word_embeddings": True}),
}


def git(*arguments):
    folder = pathlib.Path(__file__).resolve().parent
    root = subprocess.check_output(["git", "rev-parse", "--show-toplevel"], cwd=folder, text=True).strip()
    return subprocess.check_output(["git", *arguments], cwd=root)


def texts():
    """Bytes to train on, and files that are kept out of them: about one in 20, chosen by the hash of the path."""
    paths = [path for path in git("ls-tree", "-r", "--name-only", COMMIT).decode().splitlines() if path.endswith(SUFFIXES)]
    paths.sort(key=lambda path: hashlib.sha256(path.encode()).digest())
    train, held_out = [], []
    for path in paths:
        is_held_out = hashlib.sha256(path.encode()).digest()[0] < 256 // 20
        (held_out if is_held_out else train).append((path, git("show", f"{COMMIT}:{path}")))
    return np.frombuffer(b"".join(text for _, text in train), dtype=np.uint8), held_out


def held_out_sequences(files):
    """The middles of the longest held-out files, Markdown and Java in turns as far as there are both."""
    files = sorted((file for file in files if len(file[1]) >= LEN), key=lambda file: -len(file[1]))
    kinds = [[file for file in files if file[0].endswith(suffix)] for suffix in SUFFIXES]
    chosen = [file for pair in zip(*kinds) for file in pair][:NUM_SEQUENCES]
    chosen += [file for file in files if file not in chosen][:NUM_SEQUENCES - len(chosen)]
    print("held out:", ", ".join(path for path, _ in chosen))
    middles = [(len(text) - LEN) // 2 for _, text in chosen]
    return np.stack([np.frombuffer(text[at:at + LEN], dtype=np.uint8) for (_, text), at in zip(chosen, middles)])


def new_model(architecture):
    config_class, model_class, rest = ARCHITECTURES[architecture]
    config = config_class(
        vocab_size=VOCAB_SIZE, hidden_size=128, num_hidden_layers=2, max_position_embeddings=LEN, rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0}, bos_token_id=None, eos_token_id=0,
        pad_token_id=None, initializer_range=0.05, **rest)
    return model_class(config).float()


def train(model, text):
    rng = np.random.default_rng(SEED)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.01)
    model.train()
    losses = []
    for step in range(NUM_STEPS):
        decay = 0.5 * (1 + math.cos(math.pi * step / NUM_STEPS))
        rate = PEAK_RATE * min((step + 1) / NUM_WARMUP_STEPS, 0.02 + 0.98 * decay)
        for group in optimizer.param_groups:
            group["lr"] = rate
        starts = rng.integers(0, len(text) - LEN - 1, size=BATCH)
        ids = torch.tensor(np.stack([text[at:at + LEN + 1] for at in starts]).astype(np.int64))
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(ids[:, :-1]).logits.float()
        loss = torch.nn.functional.cross_entropy(logits.reshape(-1, VOCAB_SIZE), ids[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if (step + 1) % 50 == 0:
            print(f"step {step + 1}: loss {np.mean(losses[-50:]):.3f} nats a byte", flush=True)
    model.eval()


def logits_of(model, sequences, has_fp32_logits=False):
    """@param has_fp32_logits: of a bf16 model, the last product alone in fp32; else it would round logits above 8 to steps of 1/16"""
    logits = []
    with torch.no_grad():
        for ids in sequences:
            ids = torch.tensor(ids[None].astype(np.int64))
            if has_fp32_logits:
                logits.append((model.model(ids).last_hidden_state.float() @ model.lm_head.weight.float().T)[0].numpy())
            else:
                logits.append(model(ids).logits[0].float().numpy())
    return np.concatenate(logits)


def write(path, architecture, text, sequences):
    torch.manual_seed(SEED)
    model = new_model(architecture)
    train(model, text)
    for parameter in model.parameters():
        parameter.data = parameter.data.to(torch.bfloat16).float()
    logits = logits_of(model, sequences)
    folder = path / architecture
    folder.mkdir(parents=True, exist_ok=True)
    # by way of files: unlike model.to(), loading leaves the rotation's frequencies in fp32
    model.to(torch.bfloat16).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    _, model_class, _ = ARCHITECTURES[architecture]
    model = model_class.from_pretrained(folder, dtype=torch.bfloat16).eval()
    in_bf16 = logits_of(model, sequences, has_fp32_logits=True)
    next_ids = sequences[:, 1:].reshape(-1)
    rows = np.delete(np.arange(sequences.size), np.arange(LEN - 1, sequences.size, LEN))
    logprobs = logits - np.log(np.exp(logits - logits.max(-1, keepdims=True)).sum(-1, keepdims=True)) - logits.max(
        -1, keepdims=True)
    ordered = np.sort(logits, -1)
    gaps = np.sort(ordered[:, -1] - ordered[:, -2])
    top = logits.argmax(-1)
    facts = {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "held-out nats a byte": round(float(-logprobs[rows, next_ids].mean()), 3),
        "held-out bytes foretold": round(float((top[rows] == next_ids).mean()), 4),
        "logits' standard deviation": round(float(logits.std()), 3),
        "smallest gap of the two largest logits": float(gaps[0]),
        "positions": len(top),
        "transformers' bf16 arithmetic with fp32 logits, same likeliest byte": int((in_bf16.argmax(-1) == top).sum()),
        "its logits' rms error, of their rms": round(float(np.sqrt(((in_bf16 - logits) ** 2).mean() / (logits ** 2).mean())), 5),
        "its logits' largest error": round(float(np.abs(in_bf16 - logits).max()), 3),
    }
    print(architecture, json.dumps(facts, indent=1))
    top.astype(np.uint8).tofile(folder / "likeliest.bin")
    logits[LOGITS_STRIDE - 1::LOGITS_STRIDE].astype("<f4").tofile(folder / "logits.bin")


def main(path, architectures):
    print("transformers", transformers.__version__, "torch", torch.__version__)
    torch.set_num_threads(1)  # so small products are no faster with more
    path.mkdir(parents=True, exist_ok=True)
    text, held_out = texts()
    sequences = held_out_sequences(held_out)
    sequences.tofile(path / "sequences.bin")
    print(len(text), "bytes to train on,", sequences.size, "held-out positions")
    for architecture in architectures or ARCHITECTURES:
        write(path, architecture, text, sequences)


main(pathlib.Path(sys.argv[1]), sys.argv[2:])
