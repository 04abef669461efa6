/**
 * Command line, pipelines, sources and sinks, and the quickstart. Wires the other modules; holds no engine logic.
 */
@NullMarked
package io.radixflow.job;

import org.jspecify.annotations.NullMarked;
