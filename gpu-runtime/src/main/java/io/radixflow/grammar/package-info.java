/**
 * Structured output: regular expressions, JSON Schema, EBNF, choices and structural tags become one automaton over bytes, and
 * that becomes masks of the tokens that may come next. Compiled on any thread; states and masks belong to one engine's thread.
 */
@NullMarked
package io.radixflow.grammar;

import org.jspecify.annotations.NullMarked;
