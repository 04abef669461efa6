/**
 * A Flink cluster of real processes on this machine: what it consists of, who keeps it alive, and how it is talked to. The
 * command line's `cluster` subcommands are made of it.
 */
@NullMarked
package io.radixflow.job.cluster;

import org.jspecify.annotations.NullMarked;
