/**
 * Text to tokens and back: tokenizers, chat templates, incremental detokenising, stop strings. User text is data, never
 * template code.
 */
@NullMarked
package io.radixflow.text;

import org.jspecify.annotations.NullMarked;
