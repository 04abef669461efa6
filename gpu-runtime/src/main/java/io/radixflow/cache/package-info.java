/**
 * Memory of KV slots: the slot allocator and the radix tree that shares cached prefixes. Plain data structures over the JDK,
 * owned by the engine thread.
 */
@NullMarked
package io.radixflow.cache;

import org.jspecify.annotations.NullMarked;
