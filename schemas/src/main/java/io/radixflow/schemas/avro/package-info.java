/** Records of {@code src/main/avro}, generated: what Avro topics carry. */
package io.radixflow.schemas.avro;
