package io.radixflow.model;

/** Which of a model's files to take its configuration and weights from. */
public enum LoadFormat {
    /** Safetensors if the folder has them, else its GGUF file. */
    AUTO,
    SAFETENSORS,
    GGUF,
    /** Random weights: the configuration alone is read. */
    DUMMY
}
