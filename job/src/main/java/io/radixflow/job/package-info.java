/**
 * What the user touches: command line, pipelines, Kafka and files. Holds no engine logic; this package itself has only what
 * all of its sub-packages need.
 */
@NullMarked
package io.radixflow.job;

import org.jspecify.annotations.NullMarked;
