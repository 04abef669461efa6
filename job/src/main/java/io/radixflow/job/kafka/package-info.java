/**
 * The Kafka side: records to and from the operators' types, topics, and the broker that the quickstart runs in this process.
 */
@NullMarked
package io.radixflow.job.kafka;

import org.jspecify.annotations.NullMarked;
