/**
 * Models by name: where they come from, how they are checked, where they lie.
 */
@NullMarked
package io.radixflow.job.models;

import org.jspecify.annotations.NullMarked;
