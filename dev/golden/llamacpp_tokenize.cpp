// Ids that llama.cpp gives texts, to compare with the goldens of tokenizer_goldens.py:
//   llamacpp_tokenize MODEL.gguf < texts > ids
// Each text on standard input is its length in bytes, a newline, and its bytes; each line of the output holds one text's ids.
// Build against llama.h and libllama of llama.cpp: g++ -O2 -std=c++17 llamacpp_tokenize.cpp -lllama
#include <cstdio>
#include <string>
#include <vector>

#include "llama.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  llama_model_params params = llama_model_default_params();
  params.vocab_only = true;
  llama_model* model = llama_model_load_from_file(argv[1], params);
  if (model == nullptr) return 1;
  const llama_vocab* vocab = llama_model_get_vocab(model);
  size_t length = 0;
  while (std::scanf("%zu", &length) == 1 && std::getchar() == '\n') {
    std::string text(length, '\0');
    if (std::fread(text.data(), 1, length, stdin) != length) return 1;
    std::vector<llama_token> ids(length + 8);
    int count = llama_tokenize(vocab, text.data(), static_cast<int>(length), ids.data(), static_cast<int>(ids.size()),
                               /*add_special=*/false, /*parse_special=*/true);
    for (int i = 0; i < count; i++) std::printf("%s%d", i == 0 ? "" : " ", ids[i]);
    std::printf("\n");
  }
  llama_model_free(model);
}
