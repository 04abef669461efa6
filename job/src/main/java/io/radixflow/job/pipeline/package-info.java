/**
 * The Flink jobs: sources, operators, sinks and the settings they run with.
 */
@NullMarked
package io.radixflow.job.pipeline;

import org.jspecify.annotations.NullMarked;
