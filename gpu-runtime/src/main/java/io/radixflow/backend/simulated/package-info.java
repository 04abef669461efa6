/**
 * A device that computes nothing: steps last as long as a time model says, tokens are hashes of the sequences that the KV slots hold. For
 * tests and studies of schedulers and jobs at scale; its figures are labelled as simulated wherever they are shown.
 */
@NullMarked
package io.radixflow.backend.simulated;

import org.jspecify.annotations.NullMarked;
