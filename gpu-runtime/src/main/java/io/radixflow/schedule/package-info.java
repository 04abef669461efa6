/**
 * Decides what each step computes: waiting and running sequences, policies, chunked prefill, admission, retraction. Knows
 * slots and tokens, never weights or text.
 */
@NullMarked
package io.radixflow.schedule;

import org.jspecify.annotations.NullMarked;
